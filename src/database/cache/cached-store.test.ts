/**
 * Goal: a store behind the cache behaves exactly like the store itself.
 * Method: the conformance suite of the Store port on a memory store behind a cache that holds everything and behind one that
 * holds almost nothing; then failed flushes, and reads that are not to be cached.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { runStoreConformance, sampleDocument } from '../../testing/index.ts';
import { cachedStore } from './cached-store.ts';
import { DocumentCache } from './document-cache.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

for (const maxSizeMb of [1, 0.002]) {
  runStoreConformance({
    test: (name, run) => test(`behind a cache of ${maxSizeMb} MB: ${name}`, run),
    scale: 0.3 * SCALE,
    factory: async (limits) => {
      const store = createMemoryStore(limits === undefined ? {} : { limits });
      const cached = cachedStore(store, new DocumentCache({ maxSizeMb }), LIMITS);
      return {
        store: cached,
        failCommit: (_failing, batch) => {
          store.failCommits(1);
          cached.commit(batch);
        },
        dispose: () => cached.close(),
      };
    },
  });
}

test('a failed flush reverts the cache with the store', async () => {
  const store = createMemoryStore();
  const cached = cachedStore(store, new DocumentCache(), LIMITS);
  const collection = parseCollectionName('c');
  const key = parseDocumentKey('k');
  cached.load();
  cached.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
  await cached.flush();
  assert.equal(cached.get(collection, key)!.pos, 1);
  cached.commit({ documents: [sampleDocument({ key: 'k', pos: 2 })] });
  assert.equal(cached.get(collection, key)!.pos, 2);
  store.failFlushes(1);
  await assert.rejects(cached.flush());
  cached.load();
  assert.equal(cached.get(collection, key)!.pos, 1);
  assert.deepEqual(
    cached.changes(0, 9).map(({ pos }) => pos),
    [1],
  );
});

test('a read with use "once" is not cached, but returns the current row if it is cached', async () => {
  const cache = new DocumentCache();
  const cached = cachedStore(createMemoryStore(), cache, LIMITS);
  const collection = parseCollectionName('c');
  const key = parseDocumentKey('k');
  cached.load();
  cached.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
  assert.equal(cached.get(collection, key, 'once')!.pos, 1);
  assert.equal(cache.getStatistics().size, 0);
  cached.get(collection, key);
  assert.equal(cache.getStatistics().size, 1);
  cached.commit({ documents: [sampleDocument({ key: 'k', pos: 2 })] });
  assert.equal(cached.get(collection, key, 'once')!.pos, 2);
  await cached.close();
});
