/**
 * Goal: every version that lost to a concurrent one is in the ledger once, with both sides, and can be restored.
 * Method: writes of other replicas are applied to a database as a session would; on both stores where a restart matters.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import { isEntglDbError } from '../core/errors/index.ts';
import { createResolverRegistry } from '../core/merge/index.ts';
import { applyRemote, openTestDatabase, testOnStores } from './test-database.ts';

const THEM = 'f'.repeat(32);
const OTHERS = 'e'.repeat(32);

testOnStores('a loser is listed with both sides, also after a restart', async (disk) => {
  {
    await using opened = await openTestDatabase(disk, { nodeOf: (id) => (id === THEM ? 'kitchen' : null) });
    const { db } = opened;
    await db.collection('users').put('u', { name: 'ours' });
    applyRemote(db, 'users', 'u', '{"name":"theirs"}', 1, THEM);
    await db.flush();
    const [conflict] = await db.conflicts();
    assert.equal(conflict?.collection, 'users');
    assert.equal(conflict.key, 'u');
    assert.equal(conflict.resolver, 'lww@1');
    assert.deepEqual(conflict.loser.value, { name: 'theirs' });
    assert.equal(conflict.loser.node, 'kitchen');
    assert.deepEqual(conflict.winner.value, { name: 'ours' });
    assert.deepEqual(conflict.nodes, ['kitchen', 'node-1']);
    assert.equal(conflict.at, opened.clock.now());
  }
  await using again = await openTestDatabase(disk);
  const [kept] = await again.db.conflicts({ collection: 'users' });
  assert.deepEqual(kept?.loser.value, { name: 'theirs' });
  assert.deepEqual(await again.db.conflicts({ collection: 'others' }), []);
});

test('a loser is listed once, whatever happens to its document later', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await db.collection('users').put('u', { n: 0 });
  applyRemote(db, 'users', 'u', '{"n":1}', 1, THEM);
  applyRemote(db, 'users', 'u', '{"n":1}', 1, THEM);
  applyRemote(db, 'users', 'u', '{"n":2}', 1, OTHERS);
  assert.deepEqual(
    (await db.conflicts()).map(({ loser }) => loser.value),
    [{ n: 2 }, { n: 1 }],
  );
  await db.collection('users').put('u', { n: 3 });
  await db.collection('users').delete('u');
  assert.deepEqual(
    (await db.conflicts()).map(({ loser }) => loser.value),
    [{ n: 2 }, { n: 1 }],
  );
});

test('a delete that lost to a concurrent write is listed, equal values and concurrent deletes are not', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const users = db.collection('users');
  await users.put('same', { n: 1 });
  applyRemote(db, 'users', 'same', '{"n":1}', 1, THEM);
  await users.put('dead', { n: 1 });
  await users.delete('dead');
  applyRemote(db, 'users', 'dead', null, 2, THEM);
  assert.deepEqual(await db.conflicts(), []);
  await users.put('alive', { n: 1 });
  applyRemote(db, 'users', 'alive', null, 3, THEM);
  const [conflict] = await db.conflicts();
  assert.equal(conflict?.loser.value, null);
  await db.restoreConflict(conflict.id);
  assert.equal(await users.get('alive'), undefined);
});

test('with merge, a version is a loser only if one of its fields lost to another write', async () => {
  const resolverOf = createResolverRegistry({ default: 'merge', byCollection: {} });
  await using opened = await openTestDatabase(undefined, { resolverOf });
  const { db } = opened;
  await db.collection('users').put('u', { name: 'ours' });
  applyRemote(db, 'users', 'u', '{"city":"Vicenza"}', 1, THEM);
  assert.deepEqual(await db.conflicts(), []);
  applyRemote(db, 'users', 'u', '{"name":"theirs"}', 1, OTHERS);
  assert.deepEqual(
    (await db.conflicts()).map(({ loser }) => loser.value),
    [{ name: 'theirs' }],
  );
});

test('restoring a loser is an ordinary write that replaces the current document', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const users = db.collection('users');
  await users.put('u', { n: 0 });
  applyRemote(db, 'users', 'u', '{"n":1}', 1, THEM);
  const [conflict] = await db.conflicts();
  await db.restoreConflict(conflict!.id);
  assert.deepEqual(await users.get('u'), { n: 1 });
  assert.equal(db.replica.get('users' as never, 'u' as never)?.versions.length, 1);
  assert.equal((await db.conflicts()).length, 1);
  for (const id of [99, 0, -1, 1.5, Number.NaN])
    await assert.rejects(db.restoreConflict(id), (error) => isEntglDbError(error, 'CONFLICT_NOT_FOUND'));
});

test('the ledger is bounded by count, by characters and by age', async () => {
  const limits = { ...LIMITS, conflictsMax: 3, conflictCharactersMax: 60 };
  await using opened = await openTestDatabase(undefined, { limits });
  const { db, clock } = opened;
  const lose = async (n: number, padding = ''): Promise<void> => {
    await db.collection('users').put(`u${n}`, { n: -n });
    applyRemote(db, 'users', `u${n}`, JSON.stringify({ n, padding }), n, THEM);
  };
  const kept = async (): Promise<string[]> => (await db.conflicts()).map(({ key }) => key);
  for (let n = 1; n <= 4; n++) await lose(n);
  assert.equal((await kept()).length <= 3, true);
  assert.equal((await kept())[0], 'u4');
  await lose(5, 'x'.repeat(100));
  assert.deepEqual(await kept(), ['u5']);
  clock.advance(TIMES.conflictRetentionMs + 1);
  db.replica.purge(0, 10);
  assert.deepEqual(await kept(), []);
});

testOnStores('a clock that jumps years ahead, while open or closed, does not empty the ledger', async (disk) => {
  const tenYears = 10 * 365 * 24 * 3_600_000;
  let rightMs: number;
  {
    await using opened = await openTestDatabase(disk);
    const { db, clock } = opened;
    rightMs = clock.now();
    await db.collection('users').put('u', { n: 0 });
    applyRemote(db, 'users', 'u', '{"n":1}', 1, THEM);
    clock.setWall(rightMs + tenYears);
    db.replica.purge(0, 10);
    applyRemote(db, 'users', 'v', '{"n":1}', 2, THEM);
    assert.equal((await db.conflicts()).length, 1);
    clock.setWall(rightMs);
  }
  await using again = await openTestDatabase(disk);
  const { db, clock } = again;
  clock.setWall(rightMs + tenYears);
  db.replica.purge(0, 10);
  assert.equal((await db.conflicts()).length, 1);
  clock.setWall(rightMs);
  clock.advance(TIMES.conflictRetentionMs + 1);
  db.replica.purge(0, 10);
  assert.equal((await db.conflicts()).length, 0, 'it is forgotten in due time');
});

test('watchConflicts yields conflicts from its call on, until its signal aborts', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const users = db.collection('users');
  await users.put('u1', { n: 0 });
  await users.put('u2', { n: 0 });
  applyRemote(db, 'users', 'u1', '{"n":1}', 1, THEM);
  const stop = new AbortController();
  const watched = db.watchConflicts({ signal: stop.signal })[Symbol.asyncIterator]();
  const first = watched.next();
  applyRemote(db, 'users', 'u2', '{"n":2}', 2, THEM);
  await db.flush();
  assert.equal((await first).value?.key, 'u2');
  const second = watched.next();
  stop.abort(new Error('enough'));
  await assert.rejects(second, /enough/);
});

test('closing the database ends watchConflicts', async () => {
  const opened = await openTestDatabase();
  const next = opened.db.watchConflicts()[Symbol.asyncIterator]().next();
  await opened.db.close();
  assert.equal((await next).done, true);
  assert.throws(
    () => opened.db.watchConflicts(),
    (error) => isEntglDbError(error, 'DATABASE_CLOSED'),
  );
});
