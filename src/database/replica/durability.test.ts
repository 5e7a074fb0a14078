/**
 * Goal: everything that a replica commits counts as durable only after a flush, also what moves no change position.
 * Method: a claim that brings knowledge alone, on a disk that loses what was not flushed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';

const C = 'stock' as CollectionName;
const clock = createManualClock();

test('knowledge that comes alone is not durable before it was flushed', async () => {
  const author = openMemoryReplica({ clock, random: createSeededRandom(1) }).replica;
  author.write([{ writes: [{ collection: C, key: 'k' as DocumentKey, value: '{}' }] }]);
  const { knowledge, purged } = author.collection(C);

  const { replica, store } = openMemoryReplica({ clock, random: createSeededRandom(2) });
  const { pos } = replica;
  replica.applyRemote([], [{ collection: C, knowledge, purged, liveSet: undefined }], {});
  assert.equal(replica.pos, pos, 'nothing changed that a reader or a stream could see');
  assert.equal(replica.durablePos, pos);
  assert.ok(replica.durableCommits < replica.commits, 'and still there is something to lose');
  await replica.flush();
  assert.equal(replica.durableCommits, replica.commits);

  const next = openMemoryReplica({ clock, random: createSeededRandom(3), store: store.crash() }).replica;
  assert.deepEqual(next.collection(C).knowledge, knowledge);
});

test('after commits were lost, what is left is durable', () => {
  const { replica, store } = openMemoryReplica({ clock, random: createSeededRandom(4) });
  replica.write([{ writes: [{ collection: C, key: 'k' as DocumentKey, value: '{}' }] }]);
  assert.ok(replica.durableCommits < replica.commits);
  store.failFlushes(1);
  return assert
    .rejects(replica.flush(), { reason: 'IO_FAILED' })
    .then(() => assert.equal(replica.durableCommits, replica.commits));
});
