/**
 * Goal: neither a node's own work nor a query that looks at every document holds up the event loop for more than 50 ms,
 * however large the database. Method: a real database of 20,000 documents, in torture of 300,000. Queries, backup, integrity
 * check, scrub, purge, comparison and compaction run on it one after another while the length of each turn is measured.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TIMES } from '../../src/core/config/index.ts';
import type { CollectionName } from '../../src/core/ids/index.ts';
import { silentLogger } from '../../src/core/logging/index.ts';
import { type LocalDatabase, openLocalDatabase } from '../../src/database/index.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { systemRandom } from '../../src/node/system-random.ts';
import { Scrubber, sumCollection } from '../../src/resilience/index.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/index.ts';
import { atEnd } from './cleanup.ts';
import { watchLoop } from './loop-watch.ts';
import { eventually, HUNG_MS, makeFolder, SCALE } from './node-process.ts';

const DOCUMENTS = 20_000 * SCALE;
const BATCH = 500;
const TRIES = 4;
const BLOCKED_MS_MAX = 50;
const DAY_MS = 24 * 3600 * 1000;
const COLLECTION = 'c' as CollectionName;

interface Opened {
  readonly store: SqliteStore;
  readonly db: LocalDatabase;
  /** Advances the wall clock. */
  pass(ms: number): void;
}

async function open(t: TestContext, folder: string): Promise<Opened> {
  let passedMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + passedMs };
  const path = join(folder, 'node.db');
  const store = await openSqliteStore({ path, machineId: 'm', pid: process.pid, clock, logger: silentLogger });
  const db = openLocalDatabase({
    store,
    identity: store.identity,
    nodeId: 'node',
    clock,
    random: systemRandom,
    soon: setImmediate,
    times: { ...TIMES, tombstoneRetentionMs: DAY_MS, purgeIntervalMs: 20 },
  });
  atEnd(t, () => db.close());
  const pass = (ms: number): void => {
    passedMs += ms;
  };
  return { store, db, pass };
}

test(`with ${DOCUMENTS} documents, no query and no work of the node itself holds up the event loop for ${BLOCKED_MS_MAX} ms`, {
  timeout: HUNG_MS,
}, async (t) => {
  const folder = await makeFolder(t);
  const { store, db, pass } = await open(t, folder);
  const documents = db.collection(COLLECTION);
  const keyOf = (n: number): string => `k${String(n).padStart(8, '0')}`;
  for (let n = 0; n < DOCUMENTS; n += BATCH)
    await documents.putMany(
      Array.from({ length: BATCH }, (_, i) => [keyOf(n + i), { n, pad: 'x'.repeat(200) }] as const),
    );

  const held = async (what: string, work: () => Promise<unknown>, prepare = async (): Promise<void> => {}) => {
    let worst = Number.POSITIVE_INFINITY;
    // A slow pass is slow each time; a pause of the garbage collector on a busy machine is not.
    for (let i = 0; i < TRIES && worst > BLOCKED_MS_MAX; i++) {
      await prepare();
      const { worstMs, worstWallMs } = await watchLoop(work);
      worst = worstMs;
      t.diagnostic(`${what}: ${worstMs.toFixed(1)} ms (${worstWallMs.toFixed(1)} ms by the clock)`);
    }
    assert.ok(worst <= BLOCKED_MS_MAX, `${what} held it up for ${worst} ms`);
  };
  // Several at a time: what runs in threads of its own holds up nothing else.
  const words = { pad: { $regex: 'y$' } };
  await held('count of what a pattern fits', () => Promise.all([documents.count(words), documents.count(words)]));
  await held('query for what is rare', () => documents.find({ n: { $in: [1, DOCUMENTS - 1] } }));
  await held('sort of everything', () => documents.find({}, { sort: { n: -1 }, limit: 50 }));
  await held('page', () => documents.findPage(words, { sort: { n: -1 } }));
  await held('groups', () => documents.groupBy('pad', {}, words));
  await held('everything', () => documents.find());
  await held('live query', async () => {
    for await (const { results } of documents.live(words, { sort: { n: -1 }, limit: 50 })) return results;
  });
  await held('backup', () => store.backup(join(folder, 'backup.db'), { overwrite: true }));
  await held('integrity check', async () => {
    for await (const damage of store.checkIntegrity()) assert.fail(JSON.stringify(damage));
  });
  await held('scrub', () => scrubOnce(store));
  await held('comparison', () => sumCollection(db.replica, COLLECTION, setImmediate));
  let left = DOCUMENTS;
  const deleteSome = async (): Promise<void> => {
    for (let n = 0; n < DOCUMENTS / 5; n += BATCH)
      await documents.deleteMany(Array.from({ length: BATCH }, (_, i) => keyOf(left - 1 - n - i)));
    left -= DOCUMENTS / 5;
    await db.flush();
    assert.ok(db.replica.collection(COLLECTION).fingerprint.count > left, 'the deletions are remembered');
  };
  const purge = async (): Promise<void> => {
    pass(2 * DAY_MS);
    const isPurged = () => db.replica.collection(COLLECTION).fingerprint.count === left;
    await eventually('all is purged', isPurged, 60_000 * SCALE);
  };
  await held('purge', purge, deleteSome);
  await held('compaction', () => store.compact());
});

/** One pass at full speed. */
async function scrubOnce(store: SqliteStore): Promise<void> {
  const scrubber = new Scrubber({
    store,
    collections: () => [COLLECTION],
    clock: systemClock,
    megabytesPerSecond: 1000,
    onDamage: (damage) => assert.fail(JSON.stringify(damage)),
  });
  scrubber.start();
  await eventually('everything was read', () => scrubber.lastPassAt !== null, 60_000 * SCALE);
  await scrubber.stop();
}
