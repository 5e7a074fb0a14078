/**
 * Goal: the cost of a change to a live query does not depend on the size of the collection. Method: counts the queries that
 * the store gets while documents change.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { openOn } from '../test-database.ts';

interface Doc {
  readonly n: number;
}

const ignore = (): void => {};

test('a live query only asks the store again when removals have used up its spare documents', async () => {
  const store = createMemoryStore();
  let finds = 0;
  const find = store.find.bind(store);
  store.find = (collection, query) => {
    finds++;
    return find(collection, query);
  };
  const { db } = openOn(store, { limits: { ...LIMITS, liveBacklogMax: 20 } });
  const docs = db.collection<Doc>('docs');
  await docs.putMany(Array.from({ length: 500 }, (_, n) => [`k${n}`, { n }] as const));
  const live = [docs.live({}, { sort: { n: 1 }, limit: 10 }), docs.live({ n: { $lt: 100 } })];
  const counts = [docs.liveCount({ n: { $lt: 100 } }), docs.liveCount()];
  for (const each of [...live, ...counts]) each.subscribe(ignore);
  finds = 0;
  for (let i = 0; i < 500; i++) await docs.put(`k${(i * 7) % 500}`, { n: (i * 13) % 500 });
  for (let i = 0; i < 500; i++) await docs.put(`new${i}`, { n: i });
  assert.ok(finds <= 20, `${finds} in 1,000 changes`);
  finds = 0;
  for (let n = 0; n < 100; n++) await docs.delete((await docs.findEntries({}, { sort: { n: 1 }, limit: 1 }))[0]![0]);
  assert.ok(finds - 100 <= 100 / 16 + 1, `${finds - 100} in 100 removals at the top`);
});
