/**
 * Goal: a commit counts as durable only after a flush, even one without a change position.
 * Method: a claim that only brings knowledge, on a store that loses everything that was not flushed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';

const C = 'stock' as CollectionName;
const clock = createManualClock();

test('a commit of knowledge alone is not durable before a flush', async () => {
  const author = openMemoryReplica({ clock, random: createSeededRandom(1) }).replica;
  author.write([{ writes: [{ collection: C, key: 'k' as DocumentKey, value: '{}' }] }]);
  const { knowledge, purged } = author.collection(C);

  const { replica, store } = openMemoryReplica({ clock, random: createSeededRandom(2) });
  const { pos } = replica;
  replica.applyRemote([], [{ collection: C, knowledge, purged, liveSet: undefined }], {});
  assert.equal(replica.pos, pos, 'no document changed');
  assert.equal(replica.durablePos, pos);
  assert.ok(replica.durableCommits < replica.commits, 'but the commit is not durable yet');
  await replica.flush();
  assert.equal(replica.durableCommits, replica.commits);

  const next = openMemoryReplica({ clock, random: createSeededRandom(3), store: store.crash() }).replica;
  assert.deepEqual(next.collection(C).knowledge, knowledge);
});

test('after commits were lost, all remaining commits are durable', () => {
  const { replica, store } = openMemoryReplica({ clock, random: createSeededRandom(4) });
  replica.write([{ writes: [{ collection: C, key: 'k' as DocumentKey, value: '{}' }] }]);
  assert.ok(replica.durableCommits < replica.commits);
  store.failFlushes(1);
  return assert
    .rejects(replica.flush(), { reason: 'IO_FAILED' })
    .then(() => assert.equal(replica.durableCommits, replica.commits));
});
