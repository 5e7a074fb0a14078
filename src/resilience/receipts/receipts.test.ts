/**
 * Goal: a receipt is never given early, survives restarts, and is void when the peer begins another life.
 * Method: a database with statements of peers made by hand, as sessions would report them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, type Limits, TIMES } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { CollectionName, ReplicaId } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import type { LocalDatabase } from '../../database/index.ts';
import { applyRemote, openTestDatabase, type TestDatabase, testOnStores, turn } from '../../database/test-database.ts';
import { Receipts } from './receipts.ts';

const USERS = 'users' as CollectionName;
const LIFE_A = 'a'.repeat(32) as ReplicaId;
const LIFE_B = 'b'.repeat(32) as ReplicaId;

function receiptsOf({ db, clock }: TestDatabase, limits: Limits = LIMITS): Receipts {
  const commitPending = (): void => db.commitPending();
  return new Receipts({ replica: db.replica, node: db.nodeId, clock, limits, logger: silentLogger, commitPending });
}

/** Makes the peer say that it holds everything that the database wrote in the collection so far. */
function holdsAll(receipts: Receipts, peer: string, { replica }: LocalDatabase): void {
  const seq = replica.collection(USERS).knowledge.get(replica.id)?.seq ?? 0;
  receipts.confirmed(peer, USERS, replica.id, seq);
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let isDone = false;
  promise.then(
    () => {
      isDone = true;
    },
    () => {},
  );
  await turn();
  return isDone;
}

test('a write is replicated once enough distinct nodes have said so, not before', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  receipts.met('b', 'office', LIFE_B);
  await db.collection('users').put('u', { n: 1 });
  await db.collection('users').put('v', { n: 1 });
  const one = receipts.replicated('users', 'u');
  const both = receipts.replicated('users', undefined, { peers: 2 });
  assert.equal(await isSettled(one), false);
  receipts.confirmed('a', USERS, db.replica.id, 1);
  await one;
  receipts.confirmed('a', USERS, db.replica.id, 1);
  receipts.confirmed('b', USERS, db.replica.id, 1);
  assert.equal(await isSettled(both), false);
  holdsAll(receipts, 'a', db);
  holdsAll(receipts, 'a', db);
  assert.equal(await isSettled(both), false, 'one node twice is one node');
  holdsAll(receipts, 'b', db);
  await both;
  assert.deepEqual(receipts.unsynced(), []);
  receipts.close();
});

test('writes that nobody holds are unsynced, writes that a peer lacks are pending for it', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  receipts.met('b', 'office', LIFE_B);
  for (const key of ['u', 'v', 'w']) await db.collection('users').put(key, { n: 1 });
  assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 3 }]);
  receipts.confirmed('a', USERS, db.replica.id, 2);
  assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 1 }]);
  assert.deepEqual(receipts.pendingFor('kitchen'), [{ collection: 'users', writes: 1 }]);
  assert.deepEqual(receipts.pendingFor('office'), [{ collection: 'users', writes: 3 }]);
  assert.deepEqual(receipts.pendingFor('nobody'), [{ collection: 'users', writes: 3 }]);
  holdsAll(receipts, 'a', db);
  assert.deepEqual(receipts.pendingFor('kitchen'), []);
  assert.equal(receipts.isConfirmed(USERS), true);
  receipts.confirmed('a', USERS, db.replica.id, 1);
  assert.equal(receipts.isConfirmed(USERS), false, 'the newest word counts, even where it is less');
  receipts.close();
});

test('an own write that a foreign one replaced counts as held if the peer knows it', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await receipts.replicated('users', 'none');
  await receipts.replicated('users', undefined, { peers: 5 });
  applyRemote(db, 'users', 'foreign', '{"n":1}');
  await receipts.replicated('users', 'foreign');
  await db.collection('users').put('u', { n: 1 });
  await db.collection('users').delete('u');
  const gone = receipts.replicated('users', 'u');
  receipts.confirmed('a', USERS, db.replica.id, 1);
  assert.equal(await isSettled(gone), false);
  receipts.confirmed('a', USERS, db.replica.id, 2);
  await gone;
  receipts.close();
});

test('a deletion that was purged before anybody heard of it is held by nobody, in a later life, too', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await db.collection('users').put('u', { n: 1 });
  receipts.confirmed('a', USERS, db.replica.id, 1);
  await db.collection('users').delete('u');
  const former = db.replica.id;
  clock.advance(1);
  assert.equal(db.replica.purge(0, 10).purged, 1);
  const purged = receipts.replicated('users', 'u');
  assert.equal(await isSettled(purged), false);
  applyRemote(db, 'users', 'u', '{"n":2}');
  const written = receipts.replicated('users', 'u');
  assert.equal(await isSettled(written), false, 'a foreign write that had not seen it says nothing of it');
  db.replica.takeNewLife('test', 'plain');
  const all = receipts.replicated('users', undefined);
  assert.equal(await isSettled(all), false);
  assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 1 }]);
  assert.equal(receipts.isConfirmed(USERS), false);
  receipts.confirmed('a', USERS, former, 2);
  await Promise.all([purged, written, all]);
  assert.deepEqual(receipts.unsynced(), []);
  receipts.close();
});

testOnStores('receipts survive a restart, and a peer in another life holds nothing', async (disk) => {
  {
    await using opened = await openTestDatabase(disk);
    const receipts = receiptsOf(opened);
    receipts.met('a', 'kitchen', LIFE_A);
    await opened.db.collection('users').put('u', { n: 1 });
    await opened.db.collection('users').put('v', { n: 1 });
    receipts.confirmed('a', USERS, opened.db.replica.id, 1);
    opened.clock.advance(TIMES.receiptWriteMs);
    receipts.confirmed('a', USERS, opened.db.replica.id, 2);
    receipts.close();
  }
  await using again = await openTestDatabase(disk);
  const receipts = receiptsOf(again);
  assert.deepEqual(receipts.unsynced(), []);
  assert.equal(receipts.nodeOf(LIFE_A), 'kitchen');
  await receipts.replicated('users', 'v');
  receipts.met('a', 'kitchen', LIFE_A);
  assert.deepEqual(receipts.unsynced(), []);
  receipts.met('a', 'kitchen', LIFE_B);
  assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 2 }]);
  receipts.close();
});

test('a crash may forget what was heard after the last commit, but never invents anything', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await db.collection('users').put('u', { n: 1 });
  await db.collection('users').put('v', { n: 1 });
  receipts.confirmed('a', USERS, db.replica.id, 1);
  clock.advance(TIMES.receiptWriteMs);
  receipts.confirmed('a', USERS, db.replica.id, 2);
  assert.deepEqual(receiptsOf(opened).pendingFor('kitchen'), [{ collection: 'users', writes: 1 }]);
});

test('that a peer began another life is not forgotten by a crash', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await db.collection('users').put('u', { n: 1 });
  holdsAll(receipts, 'a', db);
  clock.advance(TIMES.receiptWriteMs);
  assert.deepEqual(receiptsOf(opened).unsynced(), []);
  receipts.met('a', 'kitchen', LIFE_B);
  assert.deepEqual(receiptsOf(opened).unsynced(), [{ collection: 'users', writes: 1 }]);
});

test('writes of a former life count until a peer names them', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await db.collection('users').put('u', { n: 1 });
  const former = db.replica.id;
  const waiting = receipts.replicated('users', undefined);
  db.replica.takeNewLife('test', 'plain');
  assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 1 }]);
  assert.equal(await isSettled(waiting), false);
  receipts.confirmed('a', USERS, former, 1);
  await waiting;
  assert.deepEqual(receipts.unsynced(), []);
  receipts.close();
});

test('writes repeated under a new id must be held under the new id', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await db.collection('users').put('u', { n: 1 });
  const former = db.replica.id;
  const waiting = receipts.replicated('users', 'u');
  db.replica.takeNewLife('twin', 'forked');
  receipts.confirmed('a', USERS, former, 99);
  assert.equal(await isSettled(waiting), false, 'what a twin wrote under the old id is no receipt');
  holdsAll(receipts, 'a', db);
  await waiting;
  receipts.close();
});

testOnStores(
  'a peer that holds the same holds what nobody can claim, until more of that life arrives',
  async (disk) => {
    {
      await using opened = await openTestDatabase(disk);
      const { db, clock } = opened;
      const receipts = receiptsOf(opened);
      receipts.met('a', 'kitchen', LIFE_A);
      receipts.met('b', 'office', LIFE_B);
      await db.collection('users').put('u', { n: 1 });
      const former = db.replica.id;
      receipts.holdsTheSame('a', USERS);
      assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 1 }], 'writes of this life are claimed');
      db.replica.takeNewLife('restored', 'plain');
      // What the former life wrote beyond the backup comes back from a peer. No knowledge ever covers it.
      applyRemote(db, 'users', 'w', '{"n":3}', 3, former);
      receipts.confirmed('a', USERS, former, 1);
      const waiting = receipts.replicated('users', 'w');
      assert.equal(await isSettled(waiting), false);
      receipts.holdsTheSame('a', USERS);
      await waiting;
      receipts.confirmed('a', USERS, former, 1);
      assert.deepEqual([receipts.unsynced(), receipts.pendingFor('kitchen')], [[], []]);
      assert.deepEqual(receipts.pendingFor('office'), [{ collection: 'users', writes: 2 }]);
      applyRemote(db, 'users', 'v', '{"n":2}', 2, former);
      assert.deepEqual(receipts.pendingFor('kitchen'), [{ collection: 'users', writes: 2 }]);
      receipts.holdsTheSame('a', USERS);
      clock.advance(TIMES.receiptWriteMs);
      receipts.close();
    }
    await using again = await openTestDatabase(disk);
    const receipts = receiptsOf(again);
    assert.deepEqual(receipts.unsynced(), []);
    await receipts.replicated('users', undefined);
    receipts.close();
  },
);

test('what a peer claimed of a former life counts when more of that life arrives, also if it was claimed meanwhile', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await db.collection('users').put('u', { n: 1 });
  const former = db.replica.id;
  db.replica.takeNewLife('restored', 'plain');
  receipts.holdsTheSame('a', USERS);
  receipts.confirmed('a', USERS, former, 2);
  applyRemote(db, 'users', 'v', '{"n":2}', 2, former);
  assert.deepEqual(receipts.pendingFor('kitchen'), []);
  applyRemote(db, 'users', 'w', '{"n":3}', 3, former);
  assert.deepEqual(receipts.pendingFor('kitchen'), [{ collection: 'users', writes: 1 }]);
  receipts.close();
});

test('a table of an earlier build: a peer that held everything is asked again when more arrives', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await db.collection('users').put('u', { n: 1 });
  const former = db.replica.id;
  db.replica.takeNewLife('restored', 'plain');
  const points = [[former, Number.MAX_SAFE_INTEGER]];
  const row = { peer: 'a', node: 'kitchen', replica: LIFE_A, heardAt: 0, collection: USERS, points };
  db.replica.commitEntries((draft) => draft.entry({ space: 'receipts', id: 1, data: JSON.stringify(row) }));
  const receipts = receiptsOf(opened);
  assert.deepEqual(receipts.pendingFor('kitchen'), []);
  applyRemote(db, 'users', 'v', '{"n":2}', 2, former);
  assert.deepEqual(receipts.pendingFor('kitchen'), [{ collection: 'users', writes: 2 }]);
  receipts.close();
});

test('a peer that holds the same counts again after it, or this node, began another life', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  receipts.met('a', 'kitchen', LIFE_A);
  await db.collection('users').put('u', { n: 1 });
  db.replica.takeNewLife('restored', 'plain');
  const pending = (): unknown => receipts.pendingFor('kitchen');
  receipts.holdsTheSame('a', USERS);
  assert.deepEqual(pending(), []);
  receipts.met('a', 'kitchen', LIFE_B);
  assert.deepEqual(pending(), [{ collection: 'users', writes: 1 }], 'what it said in its former life is void');
  receipts.holdsTheSame('a', USERS);
  assert.deepEqual(pending(), [], 'although nothing has changed here since');
  receipts.close();
});

test('a node that comes back restored, with another device key, holds nothing until it says so; a namesake that is here does', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened);
  await db.collection('users').put('u', { n: 1 });
  receipts.met('a', 'kitchen', LIFE_A);
  holdsAll(receipts, 'a', db);
  receipts.met('b', 'kitchen', LIFE_B);
  assert.deepEqual(receipts.unsynced(), [], 'the two are here at the same time');
  receipts.left('a');
  holdsAll(receipts, 'a', db);
  receipts.met('b', 'kitchen', LIFE_B);
  assert.deepEqual(receipts.unsynced(), [], 'only a former link to it has ended');
  receipts.left('a');
  receipts.met('c', 'kitchen', 'c'.repeat(32) as ReplicaId);
  assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 1 }]);
  const waiting = receipts.replicated('users', 'u');
  assert.equal(await isSettled(waiting), false);
  holdsAll(receipts, 'c', db);
  await waiting;
  receipts.close();
});

testOnStores('in a backup of another node this node was a peer, and is none to itself', async (disk) => {
  {
    await using opened = await openTestDatabase(disk);
    const receipts = receiptsOf(opened);
    await opened.db.collection('users').put('u', { n: 1 });
    receipts.met('a', 'till', LIFE_A);
    holdsAll(receipts, 'a', opened.db);
    receipts.close();
  }
  await using restored = await openTestDatabase(disk, { nodeId: 'till' });
  const receipts = receiptsOf(restored);
  assert.deepEqual(receipts.unsynced(), [{ collection: 'users', writes: 1 }]);
  receipts.close();
});

test('the table is bounded: the peer unheard for longest is forgotten, and holds nothing', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const receipts = receiptsOf(opened, { ...LIMITS, receiptsMax: 2, peersMax: 3 });
  await db.collection('users').put('u', { n: 1 });
  for (const peer of ['a', 'b', 'c', 'd']) {
    clock.advance(1);
    receipts.met(peer, `node ${peer}`, LIFE_A);
    holdsAll(receipts, peer, db);
  }
  receipts.close();
  assert.equal(db.replica.store.entries('receipts', 0, 10).length, 2);
  const again = receiptsOf(opened);
  assert.deepEqual(again.pendingFor('node a'), [{ collection: 'users', writes: 1 }]);
  assert.deepEqual(again.pendingFor('node d'), []);
});

test('waiting ends with its signal or with the database, and is bounded', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const receipts = receiptsOf(opened, { ...LIMITS, receiptWaitersMax: 2 });
  await db.collection('users').put('u', { n: 1 });
  const stop = new AbortController();
  const first = receipts.replicated('users', 'u', { signal: stop.signal });
  const second = receipts.replicated('users', 'u');
  await assert.rejects(receipts.replicated('users', 'u'), (error) => isEntglDbError(error, 'WRITE_QUEUE_FULL'));
  stop.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  await assert.rejects(receipts.replicated('users', 'u', { signal: stop.signal }), /enough/);
  receipts.close();
  await assert.rejects(second, (error) => isEntglDbError(error, 'DATABASE_CLOSED'));
  for (const peers of [0, 1.5, Number.NaN])
    await assert.rejects(receipts.replicated('users', 'u', { peers }), RangeError);
});
