/**
 * Goal: health tells the truth within 2 s of each fault, and recovers by itself when the fault is gone. Method: real nodes,
 * real faults. Each is looked for both in the answer of `health` and in what `onChange` or the log reports unasked. Times
 * are printed, and may be ten times as long as promised, because other tests run on the same machine.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { HealthReport } from '../../src/diagnostics/index.ts';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';
import { atEnd } from './cleanup.ts';
import { eventually, HUNG_MS, lastingPort, makeFolder, NodeProcess, shiftedClock, writeToken } from './node-process.ts';
import { nowMs, runningMs } from './running-time.ts';
import { fillDisk, mountDisk, whyNoDisk } from './small-disk.ts';

const PROMISED_MS = 2000;
const MS_MAX = 10 * PROMISED_MS;
const options = { timeout: HUNG_MS };

type State = 'healthy' | 'degraded' | 'unhealthy';

/** A node in this process or in its own: `health` is asked, `told` is what it reported by itself. */
interface Watched {
  health(): Promise<HealthReport>;
  /** The state of a check that was reported last; undefined: none. */
  told(check: string): State | undefined;
}

function ofProcess(node: NodeProcess): Watched {
  return {
    health: () => node.health(),
    told: (check) => node.log.findLast((line) => line.check === check)?.after as State | undefined,
  };
}

function ofDatabase(db: NodeDatabase): Watched {
  const told = new Map<string, State>();
  db.healthCheck.onChange(({ name, after }) => told.set(name, after));
  return { health: () => db.health(), told: (check) => told.get(check) };
}

/** Waits until a check is in a state, both when asked and as reported unasked. Prints both times. */
async function becomes(t: TestContext, node: Watched, check: string, state: State): Promise<HealthReport> {
  let report: HealthReport | undefined;
  const startedAt = nowMs();
  const told = eventually(`${check} told to be ${state}`, () => (node.told(check) ?? 'healthy') === state, MS_MAX);
  const askedMs = await eventually(
    `${check} is ${state}`,
    async () => {
      report = await node.health();
      return report.checks.find(({ name }) => name === check)!.state === state;
    },
    MS_MAX,
  );
  await told;
  const toldMs = runningMs(startedAt);
  t.diagnostic(`${check} ${state}: asked ${Math.round(askedMs)} ms, told ${Math.round(toldMs)} ms`);
  return report!;
}

async function start(t: TestContext, name: string, more: object = {}): Promise<NodeProcess> {
  const folder = await makeFolder(t);
  return NodeProcess.start(t, { folder: join(folder, name), name, tokenFile: await writeToken(folder), ...more });
}

async function open(t: TestContext, more: object = {}): Promise<NodeDatabase> {
  const folder = await makeFolder(t);
  const network = { localhostOnly: true, enableDiscovery: false, tcpPort: 0 };
  const db = await openDatabase({ dataDirectory: join(folder, 'node'), nodeId: 'node', network, ...more });
  atEnd(t, () => db.close());
  return db;
}

test('the database is locked by another program, with and without writes', options, async (t) => {
  // On a slow machine the lock may be held for longer than a write waits by default.
  const node = await start(t, 'locked', { settings: { Persistence: { BusyTimeoutMs: 60_000 } } });
  const watched = ofProcess(node);
  await node.collection('c').put('k', { n: 1 });
  const other = new DatabaseSync((await node.status()).databasePath, { timeout: MS_MAX });
  atEnd(t, () => other.close());
  other.exec('BEGIN IMMEDIATE');
  const write = node.collection('c').put('k', { n: 2 });
  const report = await becomes(t, watched, 'database', 'unhealthy');
  assert.deepEqual([report.isHealthy, report.databaseHealthy, report.networkHealthy], [false, false, true]);
  assert.deepEqual(await node.collection('c').get('k'), { n: 1 }, 'it is read while it waits');
  other.exec('ROLLBACK');
  assert.equal((await becomes(t, watched, 'database', 'healthy')).isHealthy, true);
  await write;
  assert.deepEqual(await node.collection('c').get('k'), { n: 2 });
});

const noDisk = whyNoDisk();
if (noDisk !== undefined) console.log(`SKIPPED: ${noDisk}`);
test('the disk is full', { ...options, skip: noDisk ?? false }, async (t) => {
  const disk = mountDisk(t, join(await makeFolder(t), 'disk'), 32);
  const node = await NodeProcess.start(t, { folder: join(disk, 'data'), name: 'full' });
  const watched = ofProcess(node);
  await node.collection('c').put('k', { n: 1 });
  fillDisk(join(disk, 'fill'));
  const report = await becomes(t, watched, 'disk-space', 'unhealthy');
  assert.deepEqual([report.isHealthy, report.databaseHealthy], [false, false]);
  const pad = 'x'.repeat(100_000);
  for (let i = 0; i < 100; i++)
    if (
      await node
        .collection('c')
        .put(`k${i}`, { pad })
        .then(
          () => false,
          () => true,
        )
    )
      break;
  await becomes(t, watched, 'database', 'unhealthy');
  rmSync(join(disk, 'fill'));
  await becomes(t, watched, 'disk-space', 'healthy');
  assert.equal((await becomes(t, watched, 'database', 'healthy')).databaseHealthy, true);
  await node.collection('c').put('after', { n: 1 });
});

test('the listening port is lost', options, async (t) => {
  const db = await open(t);
  const watched = ofDatabase(db);
  const { port } = db.address().tcp!;
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  const server = handles.find((each) => (each as Server).address?.() && addressPort(each as Server) === port) as Server;
  server.close();
  const thief = createServer().listen(port, '127.0.0.1');
  await once(thief, 'listening');
  const lost = await becomes(t, watched, 'network', 'unhealthy');
  assert.deepEqual([lost.isHealthy, lost.networkHealthy, db.address().tcp], [false, false, null]);
  await eventually('the reason is known', async () => /port \d+ .* is in use/.test((await db.health()).errors.join()));
  thief.close();
  assert.equal((await becomes(t, watched, 'network', 'healthy')).networkHealthy, true);
  assert.equal(db.address().tcp!.port, port);
});

function addressPort(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}

test('all peers are gone', options, async (t) => {
  const tcpPort = await lastingPort();
  const peer = await start(t, 'peer', { tcpPort });
  const node = await start(t, 'node', { peers: [peer.address] });
  const watched = ofProcess(node);
  await eventually('they meet', async () => (await node.status()).connectedPeers === 1);
  await peer.kill();
  const report = await becomes(t, watched, 'peers', 'degraded');
  assert.deepEqual([report.isHealthy, report.networkHealthy, report.connectedPeers], [true, false, 0]);
  await start(t, 'peer', { tcpPort });
  assert.equal((await becomes(t, watched, 'peers', 'healthy')).networkHealthy, true);
});

test('the clock is set wrong while the node runs, and then right', options, async (t) => {
  const [b, c] = [await start(t, 'b'), await start(t, 'c')];
  const folder = await makeFolder(t);
  const env = shiftedClock(folder, 0);
  const node = await start(t, 'wrong', { peers: [b.address, c.address], env });
  const watched = ofProcess(node);
  await eventually('they meet', async () => (await node.status()).connectedPeers === 2);
  assert.equal((await node.health()).isHealthy, true);
  shiftedClock(folder, 3_600_000);
  node.signal('SIGUSR2');
  assert.equal((await becomes(t, watched, 'clock', 'unhealthy')).isHealthy, false);
  shiftedClock(folder, 0);
  node.signal('SIGUSR2');
  assert.equal((await becomes(t, watched, 'clock', 'healthy')).isHealthy, true);
});

test('a damaged document is reported as soon as it is read, and healed by the peer', options, async (t) => {
  const peer = await start(t, 'peer');
  const settings = { Health: { ScrubMegabytesPerSecond: 0 }, Persistence: { CacheSizeMb: 1 } };
  const node = await start(t, 'damaged', { settings, peers: [peer.address] });
  const watched = ofProcess(node);
  await node.collection('c').put('k', { n: 1 });
  await eventually('the peer has it', async () => (await peer.collection('c').get('k')) !== undefined);
  // Enough other pages to drive it out of the cache.
  const pad = 'x'.repeat(10_000);
  for (let i = 0; i < 5; i++)
    await node.collection('c').putMany(Array.from({ length: 100 }, (_, j) => [`p${i}.${j}`, { pad }] as const));
  const { databasePath } = await node.status();
  await peer.setNetworkPaused(true);
  const file = new DatabaseSync(databasePath, { timeout: MS_MAX });
  file.exec(`UPDATE doc SET value = '{"n":2}' WHERE key = 'k'`);
  file.close();
  await assert.rejects(node.collection('c').get('k'), { reason: 'DOCUMENT_CORRUPT' });
  const report = await becomes(t, watched, 'integrity', 'unhealthy');
  assert.deepEqual([report.isHealthy, report.databaseHealthy], [false, false]);
  await peer.setNetworkPaused(false);
  assert.equal((await becomes(t, watched, 'integrity', 'degraded')).isHealthy, true, 'repaired today');
  assert.deepEqual(await node.collection('c').get('k'), { n: 1 });
});

test('the offline queue is full', options, async (t) => {
  const db = await open(t, { sync: { maxQueueSize: 3 } });
  const watched = ofDatabase(db);
  for (let i = 0; i < 3; i++) await db.offlineQueue.enqueue({ type: 'delete', collection: 'c', key: `k${i}` });
  assert.throws(() => db.offlineQueue.enqueue({ type: 'delete', collection: 'c', key: 'more' }), {
    reason: 'QUEUE_FULL',
  });
  assert.equal((await becomes(t, watched, 'offline-queue', 'unhealthy')).isHealthy, false);
  await db.offlineQueue.flush(() => {});
  assert.equal((await becomes(t, watched, 'offline-queue', 'healthy')).isHealthy, true);
});
