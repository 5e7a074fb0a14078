/**
 * Goal: a long query gives the same result as a short one would, and everything else goes on meanwhile: writes, transactions,
 * signals, close. Method: a real store with more documents than are looked at on the event loop, and interleavings.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LocalDatabase } from './database.ts';
import type { StandardSchema } from './schema/index.ts';
import { openTestDatabase, sqliteDisk, turn } from './test-database.ts';

const MANY = 5000;
const keyOf = (n: number): string => `k${String(n).padStart(5, '0')}`;

interface Item {
  n: number;
  name: string;
}

async function openFilled(t: TestContext): Promise<LocalDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-long-'));
  const { db } = await openTestDatabase(sqliteDisk(join(folder, 'test.db')));
  t.after(async () => {
    await db.close();
    await rm(folder, { recursive: true });
  });
  const items = db.collection<Item>('items');
  for (let n = 0; n < MANY; n += 1000)
    await items.putMany(Array.from({ length: 1000 }, (_, i) => [keyOf(n + i), { n: n + i, name: `name ${n + i}` }]));
  return db;
}

test('a long query sees every write that was accepted before it, awaited or not', async (t) => {
  const items = (await openFilled(t)).collection<Item>('items');
  for (let round = 0; round < 20; round++) {
    const writing = items.put(keyOf(0), { n: MANY + round, name: 'new' });
    const [found, count] = await Promise.all([
      items.find({ name: { $regex: '^new$' } }),
      items.count({ n: MANY + round }),
    ]);
    assert.deepEqual([found, count], [[{ n: MANY + round, name: 'new' }], 1]);
    await writing;
  }
});

test('a signal ends waiting for a long query immediately, and other queries go on', async (t) => {
  const items = (await openFilled(t)).collection<Item>('items');
  const stop = new AbortController();
  const pattern = { name: { $regex: '9$' } };
  const asked = [items.find(pattern, { signal: stop.signal }), items.count(pattern, { signal: stop.signal })];
  const kept = items.count(pattern);
  await turn();
  stop.abort(new Error('enough'));
  for (const each of asked) await assert.rejects(each, /^Error: enough$/);
  assert.equal(await kept, MANY / 10);
});

test('if the database closes while long queries run, each gives its result or DATABASE_CLOSED', async (t) => {
  const db = await openFilled(t);
  const items = db.collection<Item>('items');
  const asked = Array.from({ length: 10 }, () =>
    items.count({ name: { $regex: '9$' } }).catch((error: { reason?: string }) => error.reason),
  );
  await turn();
  await db.close();
  for (const each of asked) assert.ok([MANY / 10, 'DATABASE_CLOSED'].includes((await each) as never));
});

test('a transaction is rerun if a write comes during its long read, and sees a single moment', async (t) => {
  const db = await openFilled(t);
  const items = db.collection<Item>('items');
  let runs = 0;
  const sums = await db.transaction(async (tx) => {
    runs++;
    const inside = tx.collection(items);
    await inside.put(keyOf(1), { n: 1, name: 'mine' });
    const finding = inside.find({ name: { $regex: '.' } });
    if (runs === 1) await items.put(keyOf(2), { n: 1000, name: 'theirs' });
    const found = await finding;
    const count = await inside.count({ name: { $regex: 'mine|theirs' } });
    return { found: found.filter(({ name }) => !name.startsWith('name')).map(({ n }) => n), count };
  });
  assert.equal(runs, 2);
  assert.deepEqual(sums, { found: [1, 1000], count: 2 });
});

test('steady writes to a collection do not starve a transaction that reads all of it', async (t) => {
  const db = await openFilled(t);
  const items = db.collection<Item>('items');
  let isOver = false;
  const writing = (async () => {
    for (let n = 0; !isOver; n++) {
      await items.put(keyOf(n % MANY), { n, name: 'written' });
      await turn();
    }
  })();
  for (let round = 0; round < 5; round++)
    await db.transaction(async (tx) => {
      const inside = tx.collection(items);
      await inside.put('total', { n: await inside.count({ name: { $regex: '.' } }), name: 'total' });
    });
  isOver = true;
  await writing;
  assert.equal((await items.get('total'))?.n, MANY + 1);
});

test('a find that refills for misfits repeats no document, whatever is written meanwhile', async (t) => {
  const db = await openFilled(t);
  const raw = db.collection<Partial<Item>>('checked');
  await raw.putMany(['k1', 'k2', 'k3'].map((key) => [key, key === 'k1' ? { name: 'odd' } : { n: 1, name: key }]));
  let isFirst = true;
  const schema: StandardSchema<Item, Item> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        if (isFirst) await raw.put('k0', { n: 1, name: 'k0' });
        isFirst = false;
        return (value as Partial<Item>).n === undefined
          ? { issues: [{ message: 'no number' }] }
          : { value: value as Item };
      },
    },
  };
  const found = await db.collection('checked', { schema }).find({}, { limit: 2 });
  assert.deepEqual(
    found.map(({ name }) => name),
    ['k2', 'k3'],
  );
});
