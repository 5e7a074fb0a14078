/**
 * Goal: files that are removed or replaced while the database is open are noticed, and no commit is lost with them. A log that was removed
 * while it was closed, but needed, is named. Method: real files, removed under an open store or between two openings.
 */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { parseCollectionName } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { createManualClock, sampleDocument, sampleHead } from '../../testing/index.ts';
import { markerPathOf, readMarker, writeMarker } from './files/index.ts';
import { restoreSqliteFile } from './restore-file.ts';
import type { SqliteStore } from './sqlite-store.ts';
import { consistentBatch, openInFolder, withFolder } from './test-folder.ts';

const C = parseCollectionName('c');
const clock = createManualClock();

test('a removed or replaced file is noticed; a backup copies the open one and leaves the other unchanged', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const path = join(folder, 'test.db');
    store.commit(consistentBatch(20));
    assert.equal(await store.isInPlace(), true);
    rmSync(path);
    assert.equal(await store.isInPlace(), false);
    const other = 'somebody put another file here';
    writeFileSync(path, other);
    assert.equal(await store.isInPlace(), false);
    for (let n = 0; n < 20; n++) store.commit(consistentBatch(2000));
    await store.backup(join(folder, 'saved.db'));
    await store.close();
    assert.equal(readFileSync(path, 'utf8'), other);
    rmSync(path);
    await restoreSqliteFile({ backupPath: join(folder, 'saved.db'), path, pid: 1, clock });
    const again = await openInFolder(folder);
    assert.equal(again.documents(C, null, 3000).length, 2000);
    assert.ok(!readdirSync(folder).some((name) => name.endsWith('.open')));
    await again.close();
  }));

/** Writes so many further documents, each in a commit of its own. */
function writerOf(store: SqliteStore): (count: number) => void {
  let pos = 0;
  return (count) => {
    for (const last = pos + count; pos < last; ) {
      const document = sampleDocument({ key: `k${++pos}`, pos });
      store.commit({ head: sampleHead({ seq: pos, pos }), documents: [document] });
    }
  };
}

for (const removed of [['-wal'], ['-shm'], ['-redo'], ['-wal', '-shm', '-redo']])
  test(`logs removed while the database is open lose no commits: ${removed.join(', ')}`, () =>
    withFolder(async (folder) => {
      const store = await openInFolder(folder);
      const path = join(folder, 'test.db');
      const write = writerOf(store);
      write(300);
      assert.ok(existsSync(`${path}-redo`));
      for (const suffix of removed) rmSync(path + suffix);
      assert.equal(await store.keepInPlace(), true);
      write(300);
      assert.equal(await store.keepInPlace(), true);
      const copy = join(folder, 'killed');
      mkdirSync(copy);
      for (const suffix of ['', '-wal', '-redo']) copyFileSync(path + suffix, join(copy, `test.db${suffix}`));
      const killed = await openInFolder(copy);
      assert.equal(killed.documents(C, null, 1000).length, 600);
      await killed.close();
      write(10);
      await store.close();
      const again = await openInFolder(folder);
      assert.equal(again.documents(C, null, 1000).length, 610);
      await again.close();
    }));

for (const more of [0, 1, 30])
  test(`an old copy that is written over the open redo log loses no commits; commits until the next look: ${more}`, () =>
    withFolder(async (folder) => {
      const store = await openInFolder(folder);
      const path = join(folder, 'test.db');
      const write = writerOf(store);
      write(30);
      copyFileSync(`${path}-redo`, join(folder, 'old'));
      write(30);
      assert.equal(await store.keepInPlace(), true);
      copyFileSync(join(folder, 'old'), `${path}-redo`);
      write(more);
      assert.equal(await store.keepInPlace(), true);
      const copy = join(folder, 'killed');
      mkdirSync(copy);
      for (const suffix of ['', '-wal', '-redo'])
        if (existsSync(path + suffix)) copyFileSync(path + suffix, join(copy, `test.db${suffix}`));
      const killed = await openInFolder(copy);
      assert.equal(killed.documents(C, null, 1000).length, 60 + more);
      await killed.close();
      await store.close();
    }));

test('a reader that keeps removed logs from being replaced is logged once, and so is the later success', () =>
  withFolder(async (folder) => {
    const logged: string[] = [];
    const warn = (_details: object, message: string): void => void logged.push(message);
    const store = await openInFolder(folder, { logger: { ...silentLogger, warn, error: warn } });
    const path = join(folder, 'test.db');
    store.commit(consistentBatch(20));
    const reader = new DatabaseSync(path);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM doc').get();
    store.commit({ documents: [sampleDocument({ key: 'late', pos: 21 })] });
    rmSync(`${path}-shm`);
    for (let look = 0; look < 3; look++) assert.equal(await store.keepInPlace(), true);
    reader.close();
    for (let look = 0; look < 3; look++) assert.equal(await store.keepInPlace(), true);
    assert.deepEqual(logged, [
      'logs of the database were removed or written over while it is open, and cannot be begun anew yet',
      'logs of the database were removed or written over while it is open; new ones were begun, and nothing is lost',
    ]);
    await store.close();
  }));

test('a stop on a full disk leaves a main file that needs its log; if that is missing, the next opening says so', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const write = async (count: number, bytes: number): Promise<void> => {
      const store = await openInFolder(folder);
      store.commit(consistentBatch(count));
      await store.close();
      truncateSync(path, Math.min(bytes, statSync(path).size));
    };
    await write(20, Number.MAX_SAFE_INTEGER);
    // What there was room for: pages that were there before, and none of the new ones.
    await write(2000, statSync(path).size);
    const marker = readMarker(markerPathOf(path))!;
    await assert.rejects(openInFolder(folder), (error: Error) => !error.message.includes('is missing'));
    writeMarker(markerPathOf(path), { ...marker, generation: marker.generation + 1, state: 'opening' });
    await assert.rejects(openInFolder(folder), {
      reason: 'DATABASE_CORRUPT',
      message: /the log .*test\.db-wal is missing.*the disk was full when it was stopped; put the log back, or restore/,
    });
  }));
