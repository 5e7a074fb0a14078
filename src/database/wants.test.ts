/**
 * Goal: a node writes only into collections that it syncs, because nobody else would ever get the rest. Method: a database that
 * wants some collections by its configuration, with every way of writing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName } from '../core/ids/index.ts';
import { applyRemote, openTestDatabase, type TestDatabase } from './test-database.ts';

const REFUSED = { code: 'SYNC_ERROR', reason: 'COLLECTION_NOT_WANTED', message: /"staff".*Sync\.Collections/ };

function openPartial(): Promise<TestDatabase> {
  return openTestDatabase(undefined, { syncCollections: new Set(['sales' as CollectionName]) });
}

test('writing into a collection that Sync.Collections leaves out is refused, whatever the way', async () => {
  await using opened = await openPartial();
  const { db } = opened;
  const staff = db.collection('staff');
  await assert.rejects(staff.put('a', { n: 1 }), REFUSED);
  await assert.rejects(staff.add({ n: 1 }), REFUSED);
  await assert.rejects(staff.putMany([['a', { n: 1 }]]), REFUSED);
  const both = db.transaction(async (tx) => {
    await tx.collection('sales').put('a', {});
    await tx.collection('staff').put('a', {});
  });
  await assert.rejects(both, REFUSED);
  await assert.rejects(db.blobs.put(Buffer.from('some bytes')), {
    reason: 'COLLECTION_NOT_WANTED',
    message: /"\$blobs"/,
  });
  assert.deepEqual(
    await Promise.all(['sales', 'staff'].map((name) => db.collection(name).count())),
    [0, 0],
    'nothing was written, not even the other half of the transaction',
  );
  await db.collection('sales').put('a', {});
});

test('what such a collection holds from before stays readable, and is listed as not wanted', async () => {
  await using opened = await openPartial();
  const { db } = opened;
  applyRemote(db, 'staff', 'a', '{"n":1}', 1);
  await db.collection('sales').put('a', {});
  assert.deepEqual(await db.collection('staff').get('a'), { n: 1 });
  assert.deepEqual(
    db.collections().map(({ name, wanted }) => [name, wanted]),
    [
      ['staff', false],
      ['sales', true],
    ],
  );
});

test('widen cannot bring such a collection back: only the setting can', async () => {
  await using opened = await openPartial();
  await assert.rejects(opened.db.widen('staff'), REFUSED);
  await opened.db.narrow('sales');
  await assert.rejects(opened.db.collection('sales').put('a', {}), {
    reason: 'COLLECTION_NOT_WANTED',
    message: /widen/,
  });
  await opened.db.widen('sales');
  await opened.db.collection('sales').put('a', {});
});
