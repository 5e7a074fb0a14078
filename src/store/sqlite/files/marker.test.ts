/**
 * Goal: a marker is read as it was written, also by a former release, or counts as missing. Method: files written here and by hand.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createReplicaId } from '../../../core/ids/index.ts';
import { createSeededRandom } from '../../../testing/index.ts';
import { isCopiedMarker, type Marker, readMarker, renewMarker, writeMarker } from './marker.ts';
import { textSum } from './text-sum.ts';

const replica = createReplicaId(createSeededRandom(1));
const MARKER: Marker = { replica, generation: 7, state: 'open', reservedSeq: 100, reservedPos: 2000 };

function inFolder(run: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-marker-'));
  try {
    run(join(folder, 'marker'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a marker is read as it was written', () => {
  inFolder((path) => {
    assert.equal(readMarker(path), undefined);
    for (const marker of [MARKER, { ...MARKER, replica: null, state: 'opening' } as const]) {
      writeMarker(path, marker);
      assert.deepEqual(readMarker(path), marker);
    }
  });
});

test('the marker of a release that reserved no change positions is read: an update makes no new life', () => {
  inFolder((path) => {
    const text = `${replica} 7 open 100`;
    writeFileSync(path, `entgldb-marker 1 ${text} ${textSum(text)}`.padEnd(255));
    assert.deepEqual(readMarker(path), { ...MARKER, reservedPos: 0 });
  });
});

test('the marker of a release that did not say into which file it was written is read, and is no copy', () => {
  inFolder((path) => {
    const text = `${replica} 7 open 100 2000`;
    writeFileSync(path, `entgldb-marker 2 ${text} ${textSum(text)}`.padEnd(255));
    assert.deepEqual(readMarker(path), MARKER);
    assert.equal(isCopiedMarker(path), false);
  });
});

test('a marker knows whether it was copied: to another file, over a later one, or back to where it was', () => {
  inFolder((path) => {
    assert.equal(isCopiedMarker(path), false);
    const kept = `${path}-kept`;
    for (let round = 0; round < 3; round++) {
      renewMarker(path, MARKER);
      copyFileSync(path, kept);
      assert.deepEqual([isCopiedMarker(path), isCopiedMarker(kept)], [false, true], 'to another file');
    }
    renewMarker(path, { ...MARKER, generation: 8 });
    assert.equal(readMarker(path)?.generation, 8);
    copyFileSync(kept, path);
    assert.equal(isCopiedMarker(path), true, 'over a later one');
    writeMarker(path, MARKER);
    assert.equal(isCopiedMarker(path), false);
    const bytes = readFileSync(path);
    rmSync(path);
    writeFileSync(path, bytes);
    assert.equal(isCopiedMarker(path), true, 'back, perhaps with the same inode');
  });
});

test('other owners, modes, links and names of its folder leave a marker what it is, and what follows it stays', () => {
  inFolder((path) => {
    writeMarker(path, MARKER);
    appendFileSync(path, 'what other parts of the store keep there');
    const bytes = readFileSync(path).subarray(256);
    renewMarker(path, MARKER);
    assert.deepEqual(readFileSync(path).subarray(256), bytes);
    chmodSync(path, 0o640);
    linkSync(path, `${path}-link`);
    const moved = `${dirname(path)}-moved`;
    renameSync(dirname(path), moved);
    assert.equal(isCopiedMarker(join(moved, 'marker')), false);
    renameSync(moved, dirname(path));
  });
});

test('a renewed marker keeps its owner and mode, whoever renews it', () => {
  inFolder((path) => {
    writeMarker(path, MARKER);
    chmodSync(path, 0o640);
    if (process.getuid?.() === 0) chownSync(path, 1234, 5678);
    const { uid, gid, mode, ino } = statSync(path);
    renewMarker(path, MARKER);
    const now = statSync(path);
    assert.notEqual(now.ino, ino);
    assert.deepEqual([now.uid, now.gid, now.mode], [uid, gid, mode]);
  });
});

test('a disk that refuses a new file has the marker written into the one that is there', () => {
  inFolder((path) => {
    writeMarker(path, MARKER);
    mkdirSync(join(`${path}.new`, 'in the way'), { recursive: true });
    renewMarker(path, { ...MARKER, generation: 8 });
    assert.equal(readMarker(path)?.generation, 8);
    assert.equal(isCopiedMarker(path), false);
  });
});

test('a marker with any changed byte counts as missing', () => {
  inFolder((path) => {
    writeMarker(path, MARKER);
    const bytes = readFileSync(path);
    const length = bytes.toString().trim().length;
    for (let at = 0; at < length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      writeFileSync(path, changed);
      assert.equal(readMarker(path), undefined, `byte ${at}`);
    }
  });
});
