/**
 * Goal: reads share a transaction that never keeps a writer, the log or another connection waiting.
 * Method: a store whose clock stands still until the test moves it, and a second connection that tries to empty the log.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { createManualClock, sampleDocument, sampleHead } from '../../testing/index.ts';
import { openInFolder, withFolder } from './test-folder.ts';

const C = parseCollectionName('c');
const KEY = parseDocumentKey('key');
const clock = createManualClock();

const batchOf = (pos: number) => ({
  head: sampleHead({ seq: pos, pos }),
  documents: [sampleDocument({ key: KEY, pos, versions: [{ seq: pos }] })],
});

/** Whether another connection can empty the log at this moment. */
function canEmptyLog(folder: string): boolean {
  const other = new DatabaseSync(join(folder, 'test.db'), { timeout: 0 });
  try {
    return other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()!.busy === 0;
  } finally {
    other.close();
  }
}

test('a read sees what was committed since the reads before it', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { clock });
    for (let pos = 1; pos <= 5; pos++) {
      store.commit(batchOf(pos));
      for (let i = 0; i < 4; i++) assert.equal(store.get(C, KEY)?.pos, pos);
    }
    await store.close();
  }));

test('reads of one turn share a transaction, which ends with the turn', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { clock });
    store.commit(batchOf(1));
    store.get(C, KEY);
    assert.ok(canEmptyLog(folder), 'a single read has a transaction of its own');
    store.commit(batchOf(2));
    for (let i = 0; i < 3; i++) store.get(C, KEY);
    assert.ok(!canEmptyLog(folder), 'further reads share one');
    clock.advance(1);
    assert.ok(canEmptyLog(folder), 'the turn is over');
    await store.close();
  }));

test('the store itself empties the log between two reads', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { clock });
    store.commit(batchOf(1));
    for (let i = 0; i < 3; i++) store.get(C, KEY);
    await store.compact();
    assert.equal(store.statistics().walBytes, 0);
    for (let i = 0; i < 3; i++) assert.equal(store.get(C, KEY)?.pos, 1);
    await store.close();
  }));

test('a program that never yields to the event loop does not hold one read transaction for ever', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { clock });
    store.commit(batchOf(1));
    for (let i = 0; i < 2; i++) store.get(C, KEY);
    let reads = 0;
    while (!canEmptyLog(folder)) {
      store.get(C, KEY);
      assert.ok(++reads < 1000, 'the log can never be emptied');
    }
    assert.ok(reads > 10, `${reads} reads shared a transaction`);
    await store.close();
  }));
