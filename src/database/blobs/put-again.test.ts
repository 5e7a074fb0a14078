/**
 * Goal: a blob that was put again is kept for the whole grace period, whatever the clock of the collecting node says. Method: two
 * databases with manual clocks; what one of them has put is copied to the other, as a session would.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../testing/index.ts';
import { openTestDatabase, turn } from '../test-database.ts';
import { collectDaily, copyBlobs, DAY_MS } from './test-blobs.ts';

const BYTES = Buffer.from(createSeededRandom(5).bytes(700_000));

test('a clock that is years ahead does not end the grace period of a blob that another node has just put again', async () => {
  await using elsewhere = await openTestDatabase(undefined, { seed: 2 });
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const ref = await db.blobs.put(BYTES);
  await collectDaily(opened, 6);
  clock.setWall(clock.now() + 10 * 365 * DAY_MS);
  elsewhere.clock.advance(6 * DAY_MS);
  await elsewhere.db.blobs.put(BYTES);
  copyBlobs(elsewhere.db, db);
  assert.equal(await collectDaily(opened, 6), 0);
  assert.equal(await db.blobs.has(ref), true);
  assert.equal(await collectDaily(opened, 2), 1);
});

test('a blob that another node puts again at any moment of a collection stays, also if the clock here is years ahead', async () => {
  for (let turns = 0; turns < 3; turns++) {
    await using elsewhere = await openTestDatabase(undefined, { seed: 2 });
    await using opened = await openTestDatabase();
    const { db, clock } = opened;
    const puts = Array.from({ length: 120 }, (_, i) => db.blobs.put(Buffer.from(`blob ${i}`)));
    const refs = await Promise.all(puts);
    await collectDaily(opened, 6);
    clock.setWall(clock.now() + 10 * 365 * DAY_MS);
    clock.advance(2 * DAY_MS);
    elsewhere.clock.advance(8 * DAY_MS);
    for (let i = 0; i < refs.length; i++) await elsewhere.db.blobs.put(Buffer.from(`blob ${i}`));
    const collecting = db.blobs.collect();
    for (let i = 0; i < turns; i++) await turn();
    copyBlobs(elsewhere.db, db);
    await collecting;
    for (const ref of refs) assert.equal(await db.blobs.has(ref), true, `after ${turns} turns`);
  }
});
