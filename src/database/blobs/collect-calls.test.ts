/**
 * Goal: each call of `collect` gets what it asked for, also during another one, or is refused. Method: a database with a manual
 * clock; calls that are made at once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName } from '../../core/ids/index.ts';
import { openTestDatabase } from '../test-database.ts';

const BYTES = Buffer.from('some bytes');
const DAY_MS = 24 * 3600 * 1000;

test('aborting one collect does not fail another one that was called during it', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await db.blobs.put(BYTES);
  await db.collection('files').putMany(Array.from({ length: 1000 }, (_, i) => [`k${i}`, { i }] as const));
  const controller = new AbortController();
  const aborted = db.blobs.collect({ signal: controller.signal });
  const other = db.blobs.collect();
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  assert.equal((await other).waiting, 1);
});

test('a collect during another one uses its own grace period', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await db.blobs.put(BYTES);
  opened.clock.advance(DAY_MS);
  await db.blobs.collect();
  opened.clock.advance(10 * DAY_MS);
  const [long, short, same, wrong] = [30, 7, 7, 1].map((days) => db.blobs.collect({ olderThanMs: days * DAY_MS }));
  await assert.rejects(wrong!, RangeError);
  assert.deepEqual(await long, { blobs: 0, bytes: 0, waiting: 1 });
  assert.equal((await short)!.blobs, 1);
  assert.equal(await same, await short, 'one result for both');
});

test('collect fails on a node that does not hold all collections, and with too short a grace period', async () => {
  await using partial = await openTestDatabase(undefined, { syncCollections: new Set(['$blobs' as CollectionName]) });
  await assert.rejects(partial.db.blobs.collect(), { reason: 'COLLECTION_NOT_WANTED' });
  await using opened = await openTestDatabase();
  await opened.db.collection('files').put('a', {});
  await opened.db.narrow('files');
  await assert.rejects(opened.db.blobs.collect(), { reason: 'COLLECTION_NOT_WANTED' });
  await assert.rejects(opened.db.blobs.collect({ olderThanMs: DAY_MS }), RangeError);
});
