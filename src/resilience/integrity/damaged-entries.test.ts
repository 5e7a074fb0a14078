/**
 * Goal: a damaged entry of a side table is removed and told, however the disk behaves, and nothing else is. Method: the real engine on
 * a memory store; an entry that it lacks stands for a damaged one, since a store leaves those out.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../test-settle.ts';
import { eventsOf, setUpRepair } from './test-repair.ts';

const ID = 7;
const damaged = { kind: 'entry', space: 'queue', id: ID, problem: 'a test' } as const;

test('a damaged entry is told once, however often it is met', async () => {
  const { replica, notices, repair } = setUpRepair();
  for (let times = 0; times < 3; times++) {
    repair.report(damaged);
    await settle();
  }
  assert.deepEqual([notices.length, eventsOf(replica)], [1, ['entry-removed']]);
});

test('a new entry that has taken the id of a damaged one stays', async () => {
  const { replica, notices, repair } = setUpRepair();
  repair.report(damaged);
  replica.commitEntries((draft) => draft.entry({ space: 'queue', id: ID, data: '"new"' }));
  await settle();
  assert.deepEqual(replica.store.entries('queue', 0, 9), [{ id: ID, data: '"new"' }]);
  assert.deepEqual([notices, eventsOf(replica), repair.status().lastRepairAt], [[], [], null]);
});

test('an entry that a full disk kept from being removed is removed when it is met again', async () => {
  const { replica, store, notices, repair } = setUpRepair();
  store.failCommits(1);
  repair.report(damaged);
  await settle();
  assert.deepEqual(notices, []);
  repair.report(damaged);
  await settle();
  assert.deepEqual([notices.length, eventsOf(replica)], [1, ['entry-removed']]);
});

test('an entry that a failed sync brought back is removed again', async () => {
  const { replica, store, repair } = setUpRepair();
  store.failFlushes(1);
  repair.report(damaged);
  await settle();
  assert.deepEqual(eventsOf(replica), [], 'the sync took it back');
  repair.report(damaged);
  await settle();
  assert.deepEqual(eventsOf(replica), ['entry-removed']);
});

test('of very many damaged entries, those that do not wait are removed when they are met again', async () => {
  const { replica, repair } = setUpRepair();
  const removed: number[] = [];
  for (let times = 0; times < 3; times++) {
    for (let id = 1; id <= 150; id++) repair.report({ ...damaged, id });
    await settle();
    removed.push(eventsOf(replica).length);
  }
  assert.deepEqual(removed, [100, 150, 150]);
});
