/**
 * Goal: replaced values can be listed, looked up by time and restored, within the configured bounds, and an entry is never
 * durable without the write that replaced the value. Method: databases on both kinds of store with a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import type { LocalDatabase } from '../database.ts';
import { applyRemote, openOn, openTestDatabase, testOnStores, turn } from '../test-database.ts';

const DAY_MS = 24 * 3600 * 1000;

function notes(db: LocalDatabase, history = {}) {
  return db.collection('notes', { history });
}

const forgotten = (error: unknown): boolean => isEntglDbError(error, 'HISTORY_FORGOTTEN');

testOnStores('history lists every value that readers saw, also after the database is reopened', async (disk) => {
  let start: number;
  {
    await using opened = await openTestDatabase(disk);
    const { db, clock } = opened;
    start = clock.now();
    for (const n of [1, 2, 3]) {
      await notes(db).put('a', { n });
      clock.advance(1000);
    }
    await notes(db).delete('a');
  }
  await using opened = await openTestDatabase(disk, { seed: 2 });
  const entries = await notes(opened.db).history('a');
  assert.deepEqual(
    entries.map(({ value, since, until }) => [value, since, until]),
    [
      [null, start + 3000, null],
      [{ n: 3 }, start + 2000, start + 3000],
      [{ n: 2 }, start + 1000, start + 2000],
      [{ n: 1 }, start, start + 1000],
      [null, 0, start],
    ],
  );
  assert.deepEqual(
    entries.map(({ node }) => node),
    ['node-1', 'node-1', 'node-1', 'node-1', null],
  );
  assert.equal(new Set(entries.map(({ dot }) => dot)).size, 5);
});

test('at returns what readers saw at that moment', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const start = clock.now();
  await notes(db).put('a', { n: 1 });
  clock.advance(1000);
  await notes(db).put('a', { n: 2 });
  assert.equal(await notes(db).at('a', start - 1), undefined);
  assert.deepEqual(await notes(db).at('a', start), { n: 1 });
  assert.deepEqual(await notes(db).at('a', start + 999), { n: 1 });
  assert.deepEqual(await notes(db).at('a', { getTime: () => start + 1000 }), { n: 2 });
  assert.equal(await notes(db).at('never', start), undefined);
  await assert.rejects(notes(db).at('a', Number.NaN), RangeError);
});

test('after the clock was set back, at gives now what readers see now, and earlier the newest value that began by then', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const start = clock.now();
  await notes(db).put('a', { n: 1 });
  clock.advance(1000);
  await notes(db).put('a', { n: 2 });
  await db.collection('other').put('only', { n: 1 });
  clock.setWall(start + 500);
  assert.deepEqual(await notes(db).at('a', clock.now()), { n: 2 });
  assert.deepEqual(await db.collection('other').at('only', clock.now()), { n: 1 });
  await notes(db).put('a', { n: 3 });
  clock.advance(1000);
  assert.deepEqual(
    (await notes(db).history('a')).map(({ since, until }) => [since, until]),
    [
      [start + 500, null],
      [start + 1000, start + 500],
      [start, start + 1000],
      [0, start],
    ],
  );
  assert.deepEqual(await notes(db).at('a', start + 499), { n: 1 });
  assert.deepEqual(await notes(db).at('a', start + 500), { n: 3 }, 'shown for the second time');
  await notes(db).undo('a', { to: start + 499 });
  assert.deepEqual(await notes(db).get('a'), { n: 1 });
});

test('undo restores an earlier value with a new write, and can itself be undone', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const start = clock.now();
  for (const n of [1, 2, 3]) {
    await notes(db).put('a', { n });
    clock.advance(1000);
  }
  const { seq } = db.replica;
  await notes(db).undo('a');
  assert.equal(db.replica.seq, seq + 1);
  assert.deepEqual(await notes(db).get('a'), { n: 2 });
  await notes(db).undo('a');
  assert.deepEqual(await notes(db).get('a'), { n: 3 });
  await notes(db).undo('a', { to: start });
  assert.deepEqual(await notes(db).get('a'), { n: 1 });
  await notes(db).undo('a', { to: start - 1 });
  assert.equal(await notes(db).get('a'), undefined);
});

test('the history includes the writes of other nodes, with their author', async () => {
  await using opened = await openTestDatabase(undefined, { nodeOf: () => 'till-2' });
  const { db } = opened;
  notes(db);
  applyRemote(db, 'notes', 'a', '{"n":1}', 1);
  await notes(db).put('a', { n: 2 });
  const [now, before] = await notes(db).history('a');
  assert.deepEqual([now?.value, now?.node], [{ n: 2 }, 'node-1']);
  assert.deepEqual([before?.value, before?.node], [{ n: 1 }, 'till-2']);
});

test('without the option only the current value is known, and no history is stored', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const plain = db.collection('notes');
  await plain.put('a', { n: 1 });
  await plain.put('a', { n: 2 });
  assert.deepEqual(
    (await plain.history('a')).map(({ value }) => value),
    [{ n: 2 }],
  );
  await assert.rejects(plain.undo('a'), forgotten);
  await assert.rejects(plain.at('a', clock.now() - 1), forgotten);
  assert.equal(db.replica.store.entries('history', 0, 10).length, 0);
});

test('a write that does not change what readers see adds no entry', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await notes(db).put('a', { n: 1 });
  await notes(db).put('a', { n: 1 });
  applyRemote(db, 'notes', 'a', '{"n":0}', 1);
  assert.equal((await notes(db).history('a')).length, 2);
});

test('the number of entries is bounded for each document and for the database', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, historyEntriesMax: 10 } });
  const { db } = opened;
  for (let n = 0; n < 20; n++) await notes(db, { versions: 3 }).put('a', { n });
  const values = (await notes(db, { versions: 3 }).history('a')).map(({ value }) => value?.n);
  assert.deepEqual(values, [19, 18, 17, 16]);
  await assert.rejects(notes(db, { versions: 3 }).at('a', 0), forgotten);
  for (let n = 0; n < 20; n++) await notes(db, { versions: 3 }).put(`k${n}`, { n });
  assert.equal(db.replica.store.entries('history', 0, 100).length, 10);
  assert.equal((await notes(db, { versions: 3 }).history('a')).length, 1, 'the oldest are forgotten first');
});

test('the characters of all entries are bounded', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, historyCharactersMax: 5000 } });
  for (let n = 0; n < 20; n++) await notes(opened.db).put('a', { n, pad: 'x'.repeat(1000) });
  assert.equal((await notes(opened.db).history('a')).length, 5);
});

test('a replaced value is forgotten after the configured number of days', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  await notes(db, { days: 2 }).put('a', { n: 1 });
  await notes(db, { days: 2 }).put('a', { n: 2 });
  clock.advance(2 * DAY_MS - TIMES.purgeIntervalMs);
  await turn();
  assert.equal((await notes(db, { days: 2 }).history('a')).length, 3);
  for (let pass = 0; pass < 3; pass++) {
    clock.advance(TIMES.purgeIntervalMs);
    for (let i = 0; i < 10; i++) await turn();
  }
  assert.deepEqual(
    (await notes(db, { days: 2 }).history('a')).map(({ value }) => value),
    [{ n: 2 }],
  );
});

test('a commit that fails leaves no entry behind', async () => {
  const store = createMemoryStore();
  await using opened = openOn(store);
  const { db } = opened;
  await notes(db).put('a', { n: 1 });
  store.failCommits(1);
  await assert.rejects(notes(db).put('a', { n: 2 }), (error) => isEntglDbError(error, 'DISK_FULL'));
  await notes(db).put('a', { n: 3 });
  assert.deepEqual(
    (await notes(db).history('a')).map(({ value }) => value),
    [{ n: 3 }, { n: 1 }, null],
  );
});

test('invalid bounds are refused', async () => {
  await using opened = await openTestDatabase();
  for (const history of [{ versions: 0 }, { versions: 1.5 }, { versions: 1001 }, { days: 0 }, { days: Number.NaN }])
    assert.throws(
      () => notes(opened.db, history),
      (error) => isEntglDbError(error, 'OPTION_INVALID'),
    );
});
