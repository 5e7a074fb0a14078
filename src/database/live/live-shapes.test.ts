/**
 * Goal: live queries of a collection with a schema or migrations return what `find` returns. Method: live queries run while
 * documents of any shape are written, also by other nodes; their results are compared with `find`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { createSeededRandom } from '../../testing/index.ts';
import { applyRemote, openTestDatabase, turn } from '../test-database.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

const schema = z.object({ n: z.number(), at: z.coerce.date().optional() });
const ignore = (): void => {};

test('a document that does not fit the schema is left out, and counts for skip but not for limit', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const docs = db.collection('docs', { schema });
  const live = docs.live({}, { limit: 2, skip: 1 });
  const count = docs.liveCount({ n: { $exists: true } });
  for (const each of [live, count]) each.subscribe(ignore);
  for (const [i, text] of ['{"n":1}', '{"n":"x"}', '{"n":"y"}', '{"n":4,"at":0}', '{"n":5}', '{"n":6}'].entries())
    applyRemote(db, 'docs', `k${i}`, text, i + 1);
  await db.flush();
  assert.deepEqual(live.getSnapshot(), [
    { key: 'k3', value: { n: 4, at: new Date(0) } },
    { key: 'k4', value: { n: 5 } },
  ]);
  assert.equal(count.getSnapshot(), await docs.count({ n: { $exists: true } }));
  await docs.put('k2', { n: 3 });
  assert.deepEqual(
    live.getSnapshot()?.map(({ key }) => key),
    ['k2', 'k3'],
  );
});

test('a live document that does not fit the schema ends with DOCUMENT_INVALID', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const docs = db.collection('docs', { schema });
  await docs.put('a', { n: 1 });
  const live = docs.liveDocument('a');
  live.subscribe(ignore);
  assert.deepEqual(live.getSnapshot(), { n: 1 });
  applyRemote(db, 'docs', 'c', '{"n":"x"}');
  await db.flush();
  const other = docs.liveDocument('c');
  other.subscribe(ignore);
  assert.throws(() => other.getSnapshot(), { reason: 'DOCUMENT_INVALID' });
});

test('an asynchronous schema is refused', async () => {
  await using opened = await openTestDatabase();
  const later = z.object({ n: z.number() }).refine(async () => true);
  const docs = opened.db.collection('docs', { schema: later });
  const live = docs.live();
  const errors: unknown[] = [];
  live.subscribe(ignore, (error) => errors.push(error));
  await docs.put('a', { n: 1 });
  await turn();
  assert.ok(errors[0] instanceof TypeError);
  assert.match(String(errors[0]), /asynchronously/);
});

test('live results equal find for random documents of old and new versions, valid and invalid', async () => {
  for (let seed = 1; seed <= 20 * SCALE; seed++) {
    await using opened = await openTestDatabase(undefined, { seed });
    const { db } = opened;
    const random = createSeededRandom(seed);
    const docs = db.collection('docs', {
      schema: z.object({ name: z.string(), n: z.number() }),
      version: 1,
      migrations: { 1: ({ title, ...rest }) => ({ ...rest, name: title ?? 'none' }) },
    });
    const options = [{ limit: 4, sort: { n: 1 } }, { skip: 3, limit: 5 }, { sort: { name: -1 } }] as const;
    const live = options.map((option) => docs.live({ n: { $lt: 7 } }, option));
    const count = docs.liveCount({ name: { $gte: 'm' } });
    for (const each of [...live, count]) each.subscribe(ignore);
    for (let step = 1; step <= 60; step++) {
      const key = `k${random.integer(0, 30)}`;
      const n = random.chance(0.2) ? 'x' : random.integer(0, 9);
      const old = { title: random.pick(['a', 'm', 'z']), n };
      const isNew = random.chance(0.4);
      if (random.chance(0.2)) await docs.delete(key);
      else if (isNew) await docs.put(key, { name: random.pick(['a', 'm', 'z']), n: Number(n) || 0 });
      else applyRemote(db, 'docs', key, JSON.stringify(old), step, step.toString(16).padStart(32, 'f'));
      await db.flush();
      for (const [i, each] of live.entries()) {
        const expected = (await docs.findEntries({ n: { $lt: 7 } }, options[i])).map(([k, value]) => ({
          key: k,
          value,
        }));
        assert.deepEqual(each.getSnapshot(), expected, `seed ${seed}, step ${step}, query ${i}`);
      }
      assert.equal(count.getSnapshot(), await docs.count({ name: { $gte: 'm' } }), `seed ${seed}, step ${step}`);
    }
  }
});

test('a live query with `after` shows the documents after that place', async () => {
  await using opened = await openTestDatabase();
  const docs = opened.db.collection<{ n: number }>('docs');
  await docs.putMany([1, 2, 3].map((n) => [`k${n}`, { n }] as const));
  const options = { sort: { n: 1 }, limit: 1 } as const;
  const { next } = await docs.findPage({}, options);
  const live = docs.live({}, { ...options, after: next! });
  live.subscribe(ignore);
  assert.deepEqual(
    live.getSnapshot()?.map(({ key }) => key),
    ['k2'],
  );
  await docs.put('low', { n: 0 });
  await docs.put('high', { n: 1.5 });
  assert.deepEqual(
    live.getSnapshot()?.map(({ key }) => key),
    ['high'],
  );
});
