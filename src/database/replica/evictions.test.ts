/**
 * Goal: rows that knowledge covers stay (R12, I4), even if the first commit of an eviction is lost. Method: the flush of that
 * commit fails while the disk cannot be read either, so the replica finds out only later what is left.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';

const C = 'stock' as CollectionName;

test('an eviction whose first commit was lost drops no rows, however late the loss is noticed', async () => {
  const { replica, store } = openMemoryReplica({ clock: createManualClock(), random: createSeededRandom(1) });
  replica.write([{ writes: [{ collection: C, key: 'k' as DocumentKey, value: '{}' }] }]);
  await replica.flush();
  const { id } = replica;

  replica.evictions.begin(C);
  const load = store.load.bind(store);
  store.load = () => {
    throw new Error('the disk cannot be read');
  };
  store.failFlushes(1);
  await assert.rejects(replica.flush());
  assert.ok(replica.evictions.isPending(C), 'the loss is not noticed yet');

  store.load = load;
  assert.equal(replica.evictions.dropRows(C, 10), true, 'there is nothing to do');
  assert.equal(replica.id, id);
  assert.ok(replica.get(C, 'k' as DocumentKey));
  assert.deepEqual(replica.evictions.pending(), []);
});
