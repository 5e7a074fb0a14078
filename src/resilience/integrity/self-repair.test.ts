/**
 * Goal: a damaged document comes back from a peer, else from a backup, else is named as missing; its loss is never mistaken for a
 * deletion; and a disk that fails again and again is not written to any more.
 * Method: the real engine on a memory store that can be damaged, a manual clock, stored versions in place of peers and backups.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCollectionName } from '../../core/ids/index.ts';
import { openMemoryReplica } from '../../testing/index.ts';
import { settle } from '../test-settle.ts';
import { asSent, C, eventsOf, key, put, setUpRepair } from './test-repair.ts';

const damaged = (name: string) => ({ kind: 'document', collection: C, key: key(name), problem: 'a test' }) as const;

test('a damaged document ends sessions, causes a new id, forgets knowledge, and keeps everything readable', async () => {
  const { replica, store, counts, repair } = setUpRepair();
  put(replica, 'a', 1);
  put(replica, 'b', 2);
  put(replica, 'c', 3);
  const before = replica.id;
  store.damage(C, key('b'));
  store.damage(C, key('c'));
  assert.throws(() => replica.get(C, key('b')), { reason: 'DOCUMENT_CORRUPT' });
  repair.report(damaged('b'));
  repair.report(damaged('b'));
  assert.throws(() => replica.get(C, key('b')), { reason: 'DOCUMENT_CORRUPT' }, 'not in the turn of the read');
  await settle();
  assert.notEqual(replica.id, before);
  assert.equal(replica.collection(C).knowledge.size, 0);
  assert.equal(replica.get(C, key('b')), undefined);
  assert.equal(replica.get(C, key('a'))?.value, '{"n":1}');
  assert.equal(counts.sessionsClosed, 2, 'once for what was reported, once for what counting found');
  assert.deepEqual(eventsOf(replica), ['repair-began', 'b waiting', 'c waiting']);
  assert.deepEqual(replica.damaged.uncounted(), []);
  assert.equal(repair.status().damaged, 2);
});

test('a document that a peer sends again is noted as repaired, and the node is healthy again', async () => {
  const { replica, store, peers, clock, repair } = setUpRepair();
  const held = put(replica, 'a', 1);
  Object.assign(peers, { online: true, known: true });
  store.damage(C, key('a'));
  repair.report(damaged('a'));
  await settle();
  clock.advance(1000);
  replica.applyRemote(asSent(held), []);
  await settle();
  assert.deepEqual(eventsOf(replica), ['repair-began', 'a from-peer']);
  const { damaged: waiting, missing, lastRepairAt } = repair.status();
  assert.deepEqual([waiting, missing, lastRepairAt], [0, 0, clock.now() - 1000]);
  clock.advance(60_000);
  assert.equal(clock.nextTimerAt(), undefined, 'nothing is looked for any more');
});

test("without peers the document comes from the backup with its own stamp, so that a peer's newer one still wins", async () => {
  const { replica, store, backup, clock, repair, random } = setUpRepair();
  const old = put(replica, 'a', 1);
  backup.documents = [old];
  const other = openMemoryReplica({ clock, random }).replica;
  other.applyRemote(asSent(old), []);
  const newer = put(other, 'a', 2);
  put(replica, 'a', 3);
  store.damage(C, key('a'));
  repair.report(damaged('a'));
  await settle();
  clock.advance(1000);
  await settle();
  assert.equal(replica.get(C, key('a'))?.value, '{"n":1}');
  assert.deepEqual(eventsOf(replica), ['repair-began', 'a from-backup']);
  replica.applyRemote(asSent(newer), []);
  assert.equal(replica.get(C, key('a'))?.value, '{"n":2}');
  assert.equal(replica.get(C, key('a'))?.versions.length, 1, 'it replaces what came from the backup');
});

test('the backup is used only after waiting for known peers, and for connected ones until a round is complete', async () => {
  const { replica, store, backup, peers, clock, repair } = setUpRepair();
  backup.documents = [put(replica, 'a', 1), put(replica, 'b', 1)];
  peers.known = true;
  store.damage(C, key('a'));
  repair.report(damaged('a'));
  await settle();
  for (let second = 0; second < 59; second++) {
    clock.advance(1000);
    await settle();
  }
  assert.equal(replica.get(C, key('a')), undefined);
  clock.advance(1000);
  await settle();
  assert.equal(replica.get(C, key('a'))?.value, '{"n":1}');

  peers.online = true;
  store.damage(C, key('b'));
  repair.report(damaged('b'));
  await settle();
  for (let second = 0; second < 15; second++) {
    clock.advance(1000);
    await settle();
  }
  assert.equal(replica.get(C, key('b')), undefined, 'no round was completed yet');
  peers.lastSync = clock.now();
  clock.advance(1000);
  await settle();
  assert.equal(replica.get(C, key('b'))?.value, '{"n":1}');
});

test('a document that nobody has is named as missing, even after a restart, until somebody brings it after all', async () => {
  const { replica, store, clock, random, repair, open } = setUpRepair();
  const held = put(replica, 'a', 1);
  put(replica, 'b', 1);
  store.damage(C, key('a'));
  repair.report(damaged('a'));
  await settle();
  clock.advance(1000);
  await settle();
  assert.deepEqual(eventsOf(replica), ['repair-began', 'a missing']);
  assert.deepEqual([repair.status().damaged, repair.status().missing], [0, 1]);
  repair.stop();
  await replica.flush();
  const next = openMemoryReplica({ clock, random, store: store.crash() });
  const again = open(next.replica);
  assert.equal(again.status().missing, 1);
  assert.equal(again.losses().length, 1);
  assert.match(again.losses()[0]!, /^document "a" in ".*" was damaged on disk and is gone; .* write it again/);
  next.replica.applyRemote(asSent(held), []);
  await settle();
  assert.deepEqual(eventsOf(next.replica), ['repair-began', 'a from-peer']);
  assert.equal(again.status().missing, 0);
  assert.deepEqual(again.losses(), []);
});

test('a repair that a crash interrupted continues after the start', async () => {
  const { replica, store, clock, random, backup, repair, open } = setUpRepair();
  backup.documents = [put(replica, 'a', 1)];
  store.damage(C, key('a'));
  repair.report(damaged('a'));
  await settle();
  repair.stop();
  const next = openMemoryReplica({ clock, random, store: store.crash() });
  const again = open(next.replica);
  assert.equal(again.status().damaged, 1);
  clock.advance(1000);
  await settle();
  assert.equal(next.replica.get(C, key('a'))?.value, '{"n":1}');
  assert.equal(again.status().damaged, 0);
});

test('a document that was written again or deleted meanwhile is not brought back', async () => {
  const { replica, store, backup, clock, repair, random } = setUpRepair();
  const [a, b] = [put(replica, 'a', 1), put(replica, 'b', 1)];
  backup.documents = [a, b];
  store.damage(C, key('a'));
  store.damage(C, key('b'));
  repair.report(damaged('a'));
  await settle();
  put(replica, 'a', 9);
  const peer = openMemoryReplica({ clock, random }).replica;
  peer.applyRemote(asSent(b), []);
  peer.write([{ writes: [{ collection: C, key: key('b'), value: null }] }]);
  const tombstone = peer.get(C, key('b'))!;
  replica.applyRemote(asSent(tombstone), []);
  await settle();
  clock.advance(5000);
  await settle();
  assert.equal(replica.get(C, key('a'))?.value, '{"n":9}');
  assert.equal(replica.get(C, key('b'))?.value, null);
  assert.deepEqual(eventsOf(replica), ['repair-began', 'a written-again', 'b from-peer']);
});

test('an unreadable backup is tried again, and nothing is named missing meanwhile', async () => {
  let failures = 2;
  const { replica, store, clock, repair } = setUpRepair({
    readBackup: async () => {
      if (failures-- > 0) throw new Error('the stick is not there');
      return undefined;
    },
  });
  put(replica, 'a', 1);
  store.damage(C, key('a'));
  repair.report(damaged('a'));
  await settle();
  for (let i = 0; i < 2; i++) {
    clock.advance(1000);
    await settle();
    assert.equal(repair.status().damaged, 1);
  }
  clock.advance(1000);
  await settle();
  assert.deepEqual([repair.status().damaged, repair.status().missing], [0, 1]);
});

test('one bad block in many documents and collections is one incident', async () => {
  const { replica, store, repair } = setUpRepair();
  for (let n = 0; n < 20; n++) {
    const collection = parseCollectionName(`c${n}`);
    put(replica, 'a', 1, collection);
    store.damage(collection, key('a'));
    repair.report({ kind: 'document', collection, key: key('a'), problem: 'a test' });
    await settle();
  }
  assert.equal(repair.isReadOnly, false);
  assert.equal(eventsOf(replica).filter((kind) => kind === 'repair-began').length, 1);
});

test('after three incidents in a day the fourth stops writing, is reported once, and a restart does not forget it', async () => {
  const { replica, store, clock, random, counts, repair, open } = setUpRepair();
  for (let incident = 1; incident <= 4; incident++) {
    put(replica, `k${incident}`, 1);
    store.damage(C, key(`k${incident}`));
    repair.report(damaged(`k${incident}`));
    await settle();
    assert.equal(repair.isReadOnly, incident === 4);
    clock.advance(3_600_000);
    await settle();
  }
  repair.report(damaged('k4'));
  await settle();
  assert.equal(counts.readOnly, 1);
  assert.throws(() => repair.assertWritable(), { reason: 'READ_ONLY', code: 'PERSISTENCE_ERROR' });
  assert.equal(repair.status().damaged, 1);
  await replica.flush();
  repair.stop();
  const next = openMemoryReplica({ clock, random, store: store.crash() });
  assert.equal(open(next.replica).isReadOnly, true);
  clock.advance(24 * 3_600_000);
  assert.equal(open(next.replica).isReadOnly, false);
});

test('writing that stopped under a clock years ahead resumes once the clock is right', async () => {
  const { replica, store, clock, random, repair, open } = setUpRepair();
  const right = clock.now();
  clock.setWall(right + 10 * 365 * 24 * 3_600_000);
  for (let incident = 1; incident <= 4; incident++) {
    put(replica, `k${incident}`, 1);
    store.damage(C, key(`k${incident}`));
    repair.report(damaged(`k${incident}`));
    await settle();
    clock.advance(3_600_000);
    await settle();
  }
  assert.equal(repair.isReadOnly, true);
  await replica.flush();
  repair.stop();
  clock.setWall(right);
  const next = openMemoryReplica({ clock, random, store: store.crash() });
  const again = open(next.replica);
  assert.equal(again.isReadOnly, false);
  put(next.replica, 'k5', 1);
  next.store.damage(C, key('k5'));
  again.report(damaged('k5'));
  await settle();
  assert.equal(again.isReadOnly, false, 'what the wrong clock counted is not of today');
});

test('incidents on different days are all repaired', async () => {
  const { replica, store, clock, repair } = setUpRepair();
  for (let day = 1; day <= 6; day++) {
    put(replica, `k${day}`, 1);
    store.damage(C, key(`k${day}`));
    repair.report(damaged(`k${day}`));
    await settle();
    clock.advance(10 * 3_600_000);
    await settle();
  }
  assert.equal(repair.isReadOnly, false);
});

test('a collection that lacks documents nobody can name is recounted and requested from peers, once', async () => {
  const { replica, store, counts, repair } = setUpRepair();
  put(replica, 'a', 1);
  put(replica, 'b', 2);
  store.damage(C, key('b'), 'missing');
  assert.equal(replica.collection(C).documents, 2);
  for (let i = 0; i < 3; i++) {
    repair.report({ kind: 'collection', collection: C, problem: '2 documents are counted, 1 is there' });
    await settle();
  }
  assert.equal(replica.collection(C).documents, 1);
  assert.equal(counts.sessionsClosed, 1);
});

test('a count that a failed sync took back is made again', async () => {
  const { replica, store, repair } = setUpRepair({ soon: setImmediate });
  put(replica, 'a', 1);
  put(replica, 'b', 2);
  store.damage(C, key('b'));
  repair.report(damaged('b'));
  const former = replica.id;
  // Everything is durable but what the last turn committed: the end of the count.
  do {
    await replica.flush();
    await new Promise(setImmediate);
  } while (replica.id === former || replica.damaged.uncounted().length > 0);
  store.failFlushes(1);
  await assert.rejects(replica.flush());
  assert.deepEqual(replica.damaged.uncounted(), [C]);
  for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
  assert.deepEqual(replica.damaged.uncounted(), []);
  assert.equal(replica.collection(C).documents, 1);
});

test('damage of the file itself is unhealthy and logged once, and nothing is repaired', async () => {
  const { replica, repair } = setUpRepair();
  for (let i = 0; i < 3; i++) repair.report({ kind: 'file', problem: 'page 7 is never used' });
  await settle();
  assert.equal(repair.status().fileProblem, 'page 7 is never used');
  assert.deepEqual(eventsOf(replica), ['file-damaged']);
});

test('a repair that the disk refuses is made when the damage is found again', async () => {
  let refusals = 2;
  const { replica, store, repair } = setUpRepair({ closeSessions: () => store.failCommits(refusals-- > 0 ? 1 : 0) });
  put(replica, 'a', 1);
  store.damage(C, key('a'));
  for (let i = 0; i < 2; i++) {
    repair.report(damaged('a'));
    await settle();
    assert.throws(() => replica.get(C, key('a')), { reason: 'DOCUMENT_CORRUPT' });
    assert.equal(repair.status().damaged, 1);
  }
  repair.report(damaged('a'));
  await settle();
  assert.equal(replica.get(C, key('a')), undefined);
});
