/**
 * Goal: a compaction returns the pages that are not used, is not hindered by a check of its own store, and ends when it is told to.
 * Method: real files; checks that run meanwhile.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../../core/clock/index.ts';
import { parseCollectionName } from '../../../core/ids/index.ts';
import { createManualClock, sampleDocument } from '../../../testing/index.ts';
import type { Store } from '../../store.ts';
import type { SqliteStore } from '../sqlite-store.ts';
import { openInFolder, tamper, withFolder } from '../test-folder.ts';

const C = parseCollectionName('c');
const clock = createManualClock();

test('compaction returns the pages that deletions freed, pausing on the clock that keeps the process alive', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { clock, awaitedClock: { ...clock, setTimer: runSoon } });
    const before = fillAndEmpty(store, 2000);
    assert.ok(store.statistics().freePages > 10);
    await store.compact();
    const { databaseBytes, freePages, walBytes } = store.statistics();
    assert.deepEqual([freePages, walBytes], [0, 0]);
    assert.ok(databaseBytes < before / 2, `${databaseBytes} of ${before} bytes are left`);
    await store.close();
  }));

test('a signal ends a compaction between two steps', () =>
  withFolder(async (folder) => {
    const stop = new AbortController();
    const setTimer: Clock['setTimer'] = () => runSoon(0, () => stop.abort());
    const store = await openInFolder(folder, { clock, awaitedClock: { ...clock, setTimer } });
    fillAndEmpty(store, 20_000);
    const { freePages } = store.statistics();
    await assert.rejects(store.compact({ signal: stop.signal }), { name: 'AbortError' });
    assert.ok(store.statistics().freePages < freePages, 'the first step counts');
    assert.ok(store.statistics().freePages > 0);
    await assert.rejects(store.compact({ signal: stop.signal }), { name: 'AbortError' });
    await store.close();
  }));

test('a compaction waits for a check of its own store instead of failing', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const documents = Array.from({ length: 30_000 }, (_, i) => sampleDocument({ key: `k${i}`, pos: i + 1 }));
    store.commit({ documents });
    await store.close();
    tamper(join(folder, 'test.db'), `UPDATE doc SET value = '{"n":0}' WHERE key = 'k0'`);
    const again = await openInFolder(folder);
    let compacting: Promise<void> | undefined;
    for await (const _ of again.checkIntegrity()) {
      if (compacting !== undefined) continue;
      // The check is still reading, and sees the state before this commit.
      again.commit({ documents: [sampleDocument({ key: 'later', pos: 30_001 })] });
      compacting = again.compact();
    }
    assert.ok(compacting, 'the check found nothing');
    await compacting;
    assert.equal(again.statistics().walBytes, 0);
    await again.close();
  }));

test('a compaction that waits for a check is ended by its signal', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit({ documents: Array.from({ length: 1000 }, (_, i) => sampleDocument({ key: `k${i}`, pos: i + 1 })) });
    const stop = new AbortController();
    const check = store.checkIntegrity()[Symbol.asyncIterator]();
    const checked = check.next();
    const compacting = store.compact({ signal: stop.signal });
    stop.abort(new Error('stopped'));
    await assert.rejects(compacting, { message: 'stopped' });
    await checked;
    await check.return?.(undefined);
    await store.close();
  }));

/** Leaves unused pages in the file. Returns its size when it was full. */
function fillAndEmpty(store: SqliteStore, count: number): number {
  store.commit({ documents: Array.from({ length: count }, (_, i) => sampleDocument({ key: `k${i}`, pos: i + 1 })) });
  const before = store.statistics().databaseBytes;
  const keys = (store as Store).documents(C, null, count).map(({ key }) => key);
  store.commit({
    removed: keys.map((key, i) => ({ collection: C, key, pos: count + i + 1, why: 'evicted', deadSince: null })),
  });
  return before;
}

function runSoon(_delayMs: number, run: () => void): () => void {
  queueMicrotask(run);
  return () => {};
}
