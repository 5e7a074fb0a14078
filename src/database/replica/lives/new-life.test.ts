/**
 * Goal: a replica that cannot take a new id because its disk is full stays what it was (R9).
 * Method: the store refuses the commit of the new life; the replica must still know its former lives, and the next attempt
 * must still know what a peer confirmed some openings ago.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../../testing/index.ts';
import type { Replica } from '../index.ts';

const C = 'stock' as CollectionName;
const clock = createManualClock();
const random = createSeededRandom(7);
/** The number of openings that are remembered. */
const OPENINGS = 4;

function put(replica: Replica, key: string): void {
  replica.write([{ writes: [{ collection: C, key: key as DocumentKey, value: '{}' }] }]);
}

test('if the disk refuses a new life, the old one stays, with everything that peers have confirmed of it', async () => {
  let { replica, store } = openMemoryReplica({ clock, random });
  put(replica, 'confirmed');
  const { id, head } = replica;
  assert.equal(replica.meetKnowledge({ seq: head.seq, check: head.check }), undefined);
  for (let opening = 0; opening < OPENINGS; opening++) {
    put(replica, 'not confirmed');
    await replica.flush();
    ({ replica, store } = openMemoryReplica({ clock, random, store: store.crash() }));
  }

  store.failCommits(1);
  assert.throws(() => replica.takeNewLife('a test', 'forked'), { reason: 'DISK_FULL' });
  assert.equal(replica.id, id);
  assert.deepEqual(replica.ownIds(), [id]);
  assert.deepEqual(replica.ownForks(), []);
  assert.equal(replica.judgePosition(id, replica.pos), 'kept');

  const life = replica.takeNewLife('a test', 'forked');
  assert.equal(life.confirmedSeq, head.seq, 'the confirmed point is still known');
  assert.equal(life.rewritten, 1);
  assert.deepEqual(replica.ownIds(), [replica.id, id]);
  assert.equal(replica.ownForks().length, 1, 'the old life ended once');
});
