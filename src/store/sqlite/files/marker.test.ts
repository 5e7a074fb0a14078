/**
 * Goal: a marker is read as it was written, also by a former release, or counts as missing. Method: files written here and by hand.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createReplicaId } from '../../../core/ids/index.ts';
import { createSeededRandom } from '../../../testing/index.ts';
import { type Marker, readMarker, writeMarker } from './marker.ts';
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
