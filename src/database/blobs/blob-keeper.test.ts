/**
 * Goal: blobs that nothing refers to are deleted automatically, never before the grace period has passed, also across
 * restarts, and in steps with pauses between them. Method: databases on both kinds of store with a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { createManualClock, createSeededRandom, type ManualClock } from '../../testing/index.ts';
import { openTestDatabase, type TestDatabase, type TestDisk, testOnStores, turn } from '../test-database.ts';
import { BlobKeeper } from './blob-keeper.ts';

const DAY_MS = 24 * 3600 * 1000;
const GRACE_DAYS = 8;
const BYTES = Buffer.from(createSeededRandom(7).bytes(300_000));

interface Kept extends TestDatabase {
  readonly keeper: BlobKeeper;
}

/** A database with a running keeper, as in a node. */
async function openKept(
  clock: ManualClock,
  disk?: TestDisk,
  {
    graceDays = GRACE_DAYS,
    syncCollections = null as ReadonlySet<CollectionName> | null,
    watched = clock as Clock,
  } = {},
): Promise<Kept> {
  const times = { ...TIMES, purgeIntervalMs: DAY_MS };
  const opened = await openTestDatabase(disk, { clock, times, syncCollections });
  const keeper = new BlobKeeper({
    blobs: opened.db.blobs,
    clock: watched,
    random: createSeededRandom(1),
    logger: silentLogger,
    graceMs: () => graceDays * DAY_MS,
  });
  keeper.start();
  return {
    db: opened.db,
    clock,
    keeper,
    [Symbol.asyncDispose]: async () => {
      await keeper.stop();
      await opened.db.close();
    },
  };
}

/** Advances the clock from timer to timer, and lets the work that each timer started run. */
async function passDays({ clock, db }: Kept, days: number): Promise<void> {
  const end = clock.monotonic() + days * DAY_MS;
  for (;;) {
    for (let i = 0; i < 10; i++) await turn();
    await db.flush();
    const next = clock.nextTimerAt() ?? end;
    if (next >= end) return clock.advance(end - clock.monotonic());
    clock.advance(next - clock.monotonic());
  }
}

testOnStores(
  'an unreferenced blob is deleted after the grace period, even if the node restarts daily',
  async (disk) => {
    const clock = createManualClock();
    const [unused, used] = await (async () => {
      await using node = await openKept(clock, disk);
      const refs = [await node.db.blobs.put(BYTES), await node.db.blobs.put(BYTES.subarray(1))] as const;
      await node.db.collection('files').put('a', { file: refs[1] });
      return refs;
    })();
    const isThereAfterADay = async (): Promise<boolean> => {
      await using node = await openKept(clock, disk);
      await passDays(node, 1);
      return node.db.blobs.has(unused);
    };
    for (let day = 1; day <= GRACE_DAYS; day++) assert.ok(await isThereAfterADay(), `it is there after ${day} days`);
    await isThereAfterADay();
    await isThereAfterADay();
    await using node = await openKept(clock, disk);
    assert.equal(await node.db.blobs.has(unused), false);
    assert.deepEqual(Buffer.from(await node.db.blobs.get(used).bytes()), BYTES.subarray(1));
  },
);

test('the grace period of a blob starts again after a new reference', async () => {
  const clock = createManualClock();
  await using node = await openKept(clock);
  const ref = await node.db.blobs.put(BYTES);
  await passDays(node, GRACE_DAYS - 2);
  await node.db.collection('files').put('a', { file: ref });
  await passDays(node, 3);
  await node.db.collection('files').delete('a');
  await passDays(node, GRACE_DAYS - 1);
  assert.equal(await node.db.blobs.has(ref), true);
  await passDays(node, 4);
  assert.equal(await node.db.blobs.has(ref), false);
  assert.equal(node.keeper.collected, 1);
});

test('a node with a grace of 0 days, or one that does not hold all collections, deletes no blob', async () => {
  for (const options of [{ graceDays: 0 }, { syncCollections: new Set(['$blobs' as CollectionName]) }]) {
    const clock = createManualClock();
    await using node = await openKept(clock, undefined, options);
    const ref = await node.db.blobs.put(BYTES);
    await passDays(node, 3 * GRACE_DAYS);
    assert.equal(await node.db.blobs.has(ref), true);
  }
});

test('the keeper pauses after each step, and stopping it ends a pass under way', async () => {
  const clock = createManualClock();
  let timers = 0;
  const watched: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, run) => {
      timers++;
      return clock.setTimer(delayMs, run);
    },
  };
  await using node = await openKept(clock, undefined, { watched });
  await node.db.blobs.put(BYTES);
  await node.db.collection('files').putMany(Array.from({ length: 1000 }, (_, i) => [`k${i}`, { i }] as const));
  await passDays(node, 0.5);
  assert.ok(timers >= 10, `${timers} rests in a pass over 1,000 documents`);
  clock.advance(DAY_MS);
  await turn();
  await node.keeper.stop();
});

test('calling collect ends the collection in the background and takes its place', async () => {
  const clock = createManualClock();
  await using node = await openKept(clock);
  const { blobs } = node.db;
  await blobs.put(BYTES);
  await node.db.collection('files').put('a', { n: 1 });
  const slow = blobs.collectSlowly({ olderThanMs: GRACE_DAYS * DAY_MS, signal: AbortSignal.timeout(60_000), clock });
  await turn();
  assert.equal((await blobs.collect()).waiting, 1);
  assert.equal(await slow, undefined);
});
