/**
 * Goal: a replica that could not take a new id, its disk being full, is the one that it was (R9).
 * Method: the store refuses the commit of the new life; then everything that is known of former lives is asked for, and the
 * next try must still know what a peer confirmed some openings ago.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';
import type { Replica } from './index.ts';

const C = 'stock' as CollectionName;
const clock = createManualClock();
const random = createSeededRandom(7);
/** As many as a fork is looked back beyond. */
const OPENINGS = 4;

function put(replica: Replica, key: string): void {
  replica.write([{ writes: [{ collection: C, key: key as DocumentKey, value: '{}' }] }]);
}

test('a new life that the disk refuses leaves the old one with all that peers confirmed of it', async () => {
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
  assert.equal(life.confirmedSeq, head.seq, 'the confirmed point is not forgotten');
  assert.equal(life.rewritten, 1);
  assert.deepEqual(replica.ownIds(), [replica.id, id]);
  assert.equal(replica.ownForks().length, 1, 'the old life ended once');
});
