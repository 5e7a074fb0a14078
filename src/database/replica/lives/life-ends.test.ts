/**
 * Goal: a node keeps where its former lives ended, as far as it needs to tell twins (R9). Method: lives end for reasons other than a
 * fork; what is kept survives the next opening, is bounded, and names only points of the history.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../core/config/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../../core/ids/index.ts';
import { silentLogger } from '../../../core/logging/index.ts';
import { lww } from '../../../core/merge/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../../testing/index.ts';
import { Replica } from '../index.ts';
import { LifeEnds } from './life-ends.ts';

const C = 'stock' as CollectionName;
const clock = createManualClock();
const random = createSeededRandom(7);

function put(replica: Replica): void {
  replica.write([{ writes: [{ collection: C, key: 'k' as DocumentKey, value: '{}' }] }]);
}

test('a life that ended without a fork leaves its last point, also for the next opening', async () => {
  const { replica, store } = openMemoryReplica({ clock, random });
  put(replica);
  const { replica: id, seq, check } = replica.head;
  replica.damaged.forget(C, [], 'a test');
  await replica.flush();
  const { replica: again } = openMemoryReplica({ clock, random, store: store.crash() });
  assert.deepEqual(again.ownEnds(), new Map([[id, { seq, check }]]));
  assert.deepEqual(again.ownForks(), []);
});

test('a life without a write leaves nothing, and of many lives only the last ends are kept', () => {
  const { replica } = openMemoryReplica({ clock, random });
  replica.damaged.forget(C, [], 'a test');
  assert.equal(replica.ownEnds().size, 0);
  const ended: ReplicaId[] = [];
  for (let i = 0; i <= LIMITS.lifeEndsMax; i++) {
    put(replica);
    ended.push(replica.id);
    replica.damaged.forget(C, [], 'a test');
  }
  assert.deepEqual([...replica.ownEnds().keys()], ended.slice(1));
});

test('a seq that was reserved and not used is not a point of the history', () => {
  const { replica, store } = openMemoryReplica({ clock, random });
  put(replica);
  const again = new Replica({
    store,
    clock,
    random,
    logger: silentLogger,
    limits: LIMITS,
    clockDriftMsMax: 0,
    resolverOf: () => lww,
    isSameLife: true,
    reservedSeq: replica.seq + 100,
  });
  again.damaged.forget(C, [], 'a test');
  assert.equal(again.ownEnds().size, 0);
});

test('what cannot be parsed is left out', () => {
  const good = ['ab'.repeat(16), 3, '0'.repeat(15).concat('1')];
  const rows = [good, 7, [], ['ab', 3, good[2]], [good[0], '3', good[2]], [good[0], 3, 'check']];
  assert.deepEqual(LifeEnds.parse(JSON.stringify(rows)).toText(), JSON.stringify([good]));
  assert.deepEqual(LifeEnds.parse('{}').list, []);
});
