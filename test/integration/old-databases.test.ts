/**
 * Goal: a database of an earlier format is sound after an update: everything is there, nothing counts as damaged, and it
 * can be used. Method: files that releases of their time wrote through their public API. (The files of `format.test.ts` hold
 * rows of every kind, but made-up sums of collections.) A format change adds a file and edits none:
 * `ENTGLDB_WRITE_VECTORS=1 node --test` with this file.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';
import { FORMAT } from '../../src/store/sqlite/tables/schema.ts';
import { makeFolder } from './node-process.ts';

const pathOf = (format: number): string =>
  fileURLToPath(new URL(`../vectors/database-lived-${format}.db`, import.meta.url));

/** What the program that wrote each file did. */
async function live(db: NodeDatabase): Promise<void> {
  const users = db.collection('users');
  for (let i = 0; i < 20; i++) await users.put(`u${i}`, { i, name: `name ${i} é😀`, tags: ['a', null, { b: true }] });
  for (let i = 0; i < 5; i++) await users.delete(`u${i}`);
  for (let i = 5; i < 10; i++) await users.put(`u${i}`, { i, again: true });
  await db.transaction(async (tx) => {
    await tx.collection('notes').put('n', { text: 'kept' });
    await tx.collection('users').put('u19', { i: 19, noted: true });
  });
  await users.ensureIndex('i');
  await db.offlineQueue.enqueue({ type: 'put', collection: 'notes', key: 'later', data: { a: 1 } });
}

test('there is a file of the newest format', async (t) => {
  if (process.env.ENTGLDB_WRITE_VECTORS !== undefined && !existsSync(pathOf(FORMAT))) {
    const dataDirectory = await makeFolder(t);
    const db = await openDatabase({ dataDirectory, network: false, nodeId: 'old' });
    await live(db);
    await db.close();
    copyFileSync(join(dataDirectory, 'entgldb.db'), pathOf(FORMAT));
  }
  assert.ok(existsSync(pathOf(FORMAT)));
});

for (let format = 1; format <= FORMAT; format++)
  test(`a database of format ${format} is sound and complete, and can be used`, async (t) => {
    const dataDirectory = await makeFolder(t);
    copyFileSync(pathOf(format), join(dataDirectory, 'entgldb.db'));
    for (const start of [1, 2]) {
      const db = await openDatabase({ dataDirectory, network: false, persistence: { durability: 'normal' } });
      const users = db.collection('users');
      await db.checkIntegrity();
      assert.deepEqual((await db.health()).errors, []);
      assert.equal(db.nodeId, 'old');
      assert.equal(await users.count(), 14 + start);
      assert.equal(await users.get('u4'), undefined);
      assert.deepEqual(await users.get('u9'), { i: 9, again: true });
      assert.deepEqual(await users.get('u19'), { i: 19, noted: true });
      assert.deepEqual(await db.collection('notes').find(), [{ text: 'kept' }]);
      assert.deepEqual(
        (await users.find({ i: { $gte: 10, $lt: 12 } })).map(({ name }) => name),
        ['name 10 é😀', 'name 11 é😀'],
      );
      assert.equal((await users.explain({ i: 7 })).index, format < 2 ? null : 'i');
      assert.equal(db.offlineQueue.count, 1);
      await users.put('later', { since: 'the update' });
      await db.close();
    }
  });
