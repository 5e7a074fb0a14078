/**
 * Goal: an alarm is raised for real differences, and for nothing that a round of sync ends by itself.
 * Method: a database in memory with a session that answers as the test says, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { applyRemote, openTestDatabase, type TestDatabase, turn } from '../../database/test-database.ts';
import type { CollectionSum } from '../../net/messages/index.ts';
import { knowledgeDigest } from '../../sync/index.ts';
import { Equality, type VerifiedSession } from './equality.ts';

const USERS = 'users' as CollectionName;

/** A peer that answers each question with the result of `answer`; undefined: it does not answer. */
function peerOf(
  opened: TestDatabase,
  answer: (own: CollectionSum) => readonly CollectionSum[] | null | undefined,
  clock: Clock = opened.clock,
) {
  const told: string[] = [];
  const asked: number[] = [];
  const answered: (readonly CollectionSum[])[] = [];
  const { replica } = opened.db;
  const session: VerifiedSession = {
    isOpen: true,
    channel: { peerKey: 'a' },
    peer: { node: 'kitchen' },
    sharedCollections: () => Array.from(replica.collections(), ({ name }) => name),
    askVerify: (nonce) => {
      asked.push(nonce);
      const state = replica.collection(USERS);
      const { fingerprint } = state;
      const sums = answer({ collection: USERS, knowledge: knowledgeDigest(state), fingerprint, damaged: false });
      if (sums !== undefined) equality.followed({ kind: 'verified', nonce, sums }, session);
    },
    answerVerify: (_nonce, _theirs, sums) => answered.push(sums),
  };
  const equality: Equality = new Equality({
    replica,
    clock,
    logger: silentLogger,
    soon: setImmediate,
    sessions: () => [session],
    commitPending: () => opened.db.commitPending(),
    onDamage: ({ kind }) => told.push(`damage of a ${kind}`),
    onDifferent: () => told.push('different'),
  });
  return { equality, session, told, asked, answered };
}

async function verdictOf(equality: Equality, { clock }: TestDatabase): Promise<string | undefined> {
  const verifying = equality.verify();
  let isDone = false;
  const settled = verifying.finally(() => {
    isDone = true;
  });
  for (let i = 0; !isDone && i < 100; i++) {
    await turn();
    if (i % 10 === 9) clock.advance(TIMES.verifyRepeatMs);
  }
  const [peer] = await settled;
  return peer?.collections[0]?.verdict;
}

const OTHER = { count: 9, lanes: [1, 2, 3, 4] } as const;

test('a difference found three times is an alarm until the collections are equal', async () => {
  await using opened = await openTestDatabase();
  await opened.db.collection('users').put('u', { n: 1 });
  let isDifferent = true;
  const { equality, told, asked } = peerOf(opened, (own) => [isDifferent ? { ...own, fingerprint: OTHER } : own]);
  assert.equal(await verdictOf(equality, opened), 'different');
  assert.deepEqual([asked.length, equality.different, told], [3, 1, ['different']]);
  isDifferent = false;
  assert.equal(await verdictOf(equality, opened), 'equal');
  assert.equal(equality.different, 0);
  equality.stop();
});

test('a difference that a round of sync ends is no alarm', async () => {
  await using opened = await openTestDatabase();
  await opened.db.collection('users').put('u', { n: 1 });
  let tries = 0;
  const passing = peerOf(opened, (own) => [tries++ === 0 ? { ...own, fingerprint: OTHER } : own]);
  assert.equal(await verdictOf(passing.equality, opened), 'equal');
  const behind = peerOf(opened, (own) => [{ ...own, knowledge: new Uint8Array(16), fingerprint: OTHER }]);
  assert.equal(await verdictOf(behind.equality, opened), 'behind');
  const busy = peerOf(opened, (own) => [{ ...own, fingerprint: null }]);
  assert.equal(await verdictOf(busy.equality, opened), 'behind');
  const equal = peerOf(opened, () => null);
  assert.equal(await verdictOf(equal.equality, opened), 'equal');
  assert.deepEqual([...passing.told, ...behind.told, ...busy.told, ...equal.told], []);
});

test('a deleted document makes no difference, whether its tombstone is purged or not', async () => {
  await using opened = await openTestDatabase();
  await opened.db.collection('users').put('u', { n: 1 });
  const alive = opened.db.replica.collection(USERS).fingerprint;
  await opened.db.collection('users').put('v', { n: 1 });
  await opened.db.collection('users').delete('v');
  const { equality } = peerOf(opened, (own) => [{ ...own, fingerprint: alive }]);
  assert.equal(await verdictOf(equality, opened), 'equal');
});

test('a delete that lost to a concurrent write makes no difference, whether its tombstone is purged or not', async () => {
  await using opened = await openTestDatabase();
  applyRemote(opened.db, 'users', 'u', '{"n":1}', 1);
  const alive = opened.db.replica.collection(USERS).fingerprint;
  applyRemote(opened.db, 'users', 'u', null, 1, 'e'.repeat(32));
  assert.equal(opened.db.replica.collection(USERS).fingerprint.count, 2, 'one of the two is a tombstone');
  const { equality } = peerOf(opened, (own) => [{ ...own, fingerprint: alive }]);
  assert.equal(await verdictOf(equality, opened), 'equal');
});

test('damage at the peer is a difference immediately, and does not make this node read everything', async () => {
  await using opened = await openTestDatabase();
  await opened.db.collection('users').put('u', { n: 1 });
  const { equality, told, asked } = peerOf(opened, (own) => [{ ...own, damaged: true }]);
  assert.equal(await verdictOf(equality, opened), 'different');
  assert.deepEqual([asked.length, told], [1, []]);
});

test('a peer that does not answer in time gets the verdict unanswered', async () => {
  await using opened = await openTestDatabase();
  await opened.db.collection('users').put('u', { n: 1 });
  const { equality } = peerOf(opened, () => undefined);
  assert.equal(await verdictOf(equality, opened), 'unanswered');
});

test('a peer that leaves during a comparison gets the verdict unanswered immediately', async () => {
  await using opened = await openTestDatabase();
  await opened.db.collection('users').put('u', { n: 1 });
  const { equality, session, asked } = peerOf(opened, () => undefined);
  const verifying = equality.verify();
  while (asked.length === 0) await turn();
  Object.assign(session, { isOpen: false });
  equality.left('somebody else');
  equality.left(session.channel.peerKey);
  assert.equal((await verifying)[0]?.collections[0]?.verdict, 'unanswered');
  assert.equal((await equality.verify())[0]?.collections[0]?.verdict, 'unanswered');
  assert.equal(asked.length, 1, 'nothing is asked in a session that has ended');
});

test('a peer that asks repeatedly is answered from one count of the rows', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  await db.collection('users').put('u', { n: 1 });
  const { equality, session, answered } = peerOf(opened, () => null);
  const ask = async (): Promise<CollectionSum | undefined> => {
    equality.followed({ kind: 'verify-asked', nonce: 1, digest: new Uint8Array(16) }, session);
    equality.followed({ kind: 'verify-asked', nonce: 2, digest: new Uint8Array(16) }, session);
    await turn();
    await turn();
    return answered.at(-1)?.[0];
  };
  assert.equal((await ask())?.fingerprint?.count, 1);
  assert.equal(answered.length, 1, 'one question at a time');
  await db.collection('users').put('v', { n: 1 });
  assert.equal((await ask())?.fingerprint, null);
  clock.advance(TIMES.verifyRecountMs);
  assert.equal((await ask())?.fingerprint?.count, 2);
});

test('comparisons are made periodically, until the node stops', async () => {
  await using opened = await openTestDatabase();
  await opened.db.collection('users').put('u', { n: 1 });
  const { equality, asked } = peerOf(opened, () => null);
  equality.start();
  opened.clock.advance(TIMES.verifyIntervalMs);
  await turn();
  await turn();
  assert.equal(asked.length, 1);
  equality.stop();
  await assert.rejects(equality.verify(), { reason: 'DATABASE_CLOSED' });
});

test('comparing many collections lets timers and sockets have their turn', async () => {
  await using opened = await openTestDatabase();
  for (let i = 0; i < 200; i++) await opened.db.collection(`c${i}`).put('k', { i });
  let nowMs = 0;
  const passing = { ...opened.clock, monotonic: () => nowMs++ };
  const { equality, session, answered } = peerOf(opened, () => null, passing);
  const turnsUntil = async (isDone: () => boolean): Promise<number> => {
    for (let turns = 1; ; turns++) {
      await turn();
      if (isDone()) return turns;
    }
  };
  let peers: readonly unknown[] | undefined;
  void equality.verify().then((all) => {
    peers = all;
  });
  assert.ok((await turnsUntil(() => peers !== undefined)) > 50);
  equality.followed({ kind: 'verify-asked', nonce: 1, digest: new Uint8Array(16) }, session);
  assert.ok((await turnsUntil(() => answered.length > 0)) > 50);
});
