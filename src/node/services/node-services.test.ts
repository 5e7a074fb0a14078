/**
 * Goal: wired together, the services notice faults of a real database, name them, repair them, and recover by themselves.
 * Method: a real SQLite database in the test's own folder; a plain object stands for its network.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClockMonitor } from '../../core/clock/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { openLocalDatabase } from '../../database/index.ts';
import { openSqliteStore } from '../../store/index.ts';
import { tamper } from '../../store/sqlite/test-folder.ts';
import { createManualClock, createSeededRandom } from '../../testing/index.ts';
import { loadConfig } from '../config/index.ts';
import { createBackups, NodeServices, type ServedNetwork, shutdownBackupMsMax } from './index.ts';

async function openServices(folder: string, options: Record<string, unknown> = {}, logger = silentLogger) {
  const clock = createManualClock();
  const config = await loadConfig({ workingDirectory: folder, environment: {}, options });
  const store = await openSqliteStore({
    path: config.values['Persistence.DatabasePath'],
    machineId: 'm',
    pid: process.pid,
    clock,
    logger: silentLogger,
  });
  let services: NodeServices | undefined;
  const database = openLocalDatabase({
    store,
    identity: store.identity,
    nodeId: 'till-1',
    clock,
    random: createSeededRandom(5),
    soon: setImmediate,
    onDamage: (collection, key, error) => services?.damaged(collection, key, error),
  });
  const clocks = new ClockMonitor(60_000);
  const network = { isListening: true, address: '127.0.0.1:5000', problem: null, knownPeers: 0, bytes: 0, ended: 0 };
  const served: ServedNetwork = Object.assign(network, {
    sessions: () => [],
    mismatches: () => [],
    refusals: () => [],
    troubles: () => [],
    endSessions: () => void network.ended++,
  });
  const backups = createBackups(config, {
    database: () => ({ flush: () => database.flush(), backup: (path, work) => store.backup(path, work) }),
    own: () => ({ replica: database.replica.id, former: database.replica.formerLives, node: 'till-1', isOpen: true }),
    clock,
    logger: silentLogger,
  });
  services = new NodeServices({
    config,
    database,
    store,
    backups,
    isScheduled: true,
    clocks,
    clock,
    random: createSeededRandom(6),
    logger,
    network: () => served,
    onReadOnly: () => {},
    onNotice: () => {},
    isInPlace: () => store.isInPlace(),
  });
  const path = config.values['Persistence.DatabasePath'];
  return { clock, config, store, database, clocks, network, services, path };
}

async function withServices(
  options: Record<string, unknown>,
  run: (parts: Awaited<ReturnType<typeof openServices>>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-services-'));
  const parts = await openServices(folder, options);
  try {
    await run(parts, folder);
  } finally {
    await parts.services.stop(new AbortController().signal);
    await parts.database.close();
    rmSync(folder, { recursive: true });
  }
}

type Services = NodeServices;
const stateOf = async (services: Services, name: string): Promise<string> =>
  (await services.healthCheck.check()).checks.find((check) => check.name === name)!.state;

/** Waits turns of the event loop, so that real I/O can complete, until the condition holds. */
async function until(isSo: () => boolean | Promise<boolean>, advance: () => void = () => {}): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    if (await isSo()) return;
    advance();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('it never became so');
}

test('a node without a fault is healthy in every documented check', () =>
  withServices({}, async ({ services }) => {
    const report = await services.healthCheck.check();
    assert.deepEqual(report.errors, []);
    assert.deepEqual(
      report.checks.map(({ name, state }) => `${name} ${state}`),
      [
        'database healthy',
        'disk-space healthy',
        'integrity healthy',
        'equality healthy',
        'network healthy',
        'peers healthy',
        'refusals healthy',
        'sync-lag healthy',
        'definitions healthy',
        'clock healthy',
        'offline-queue healthy',
        'backup healthy',
      ],
    );
  }));

test('a peer that comes back under another name is one peer, and one that another node has the name of stays known', () =>
  withServices({}, async ({ services }) => {
    const known = (): string[] => services.syncTracker.getStatus().peers.map(({ nodeId }) => nodeId);
    services.feed.followed(opened('office'), peer('office'));
    services.feed.left('key-office', null);
    services.feed.followed(opened('till-1'), { ...peer('till-1'), deviceKey: 'key-office' });
    assert.deepEqual(known(), ['till-1']);

    services.feed.followed(opened('till-2'), peer('till-2'));
    services.feed.left('key-till-2', null);
    services.feed.left('key-office', null);
    services.feed.followed(opened('till-2'), { ...peer('till-2'), deviceKey: 'key-office' });
    services.feed.followed(opened('till-3'), { ...peer('till-3'), deviceKey: 'key-office' });
    assert.deepEqual(known(), ['till-2', 'till-3']);
  }));

test('each fault shows under its name at the next check, and disappears at the check after it ended', () =>
  withServices({ sync: { maxQueueSize: 2 } }, async ({ services, network, clocks }) => {
    network.isListening = false;
    assert.equal(await stateOf(services, 'network'), 'unhealthy');
    network.isListening = true;
    assert.equal(await stateOf(services, 'network'), 'healthy');

    services.feed.followed(opened('till-2'), peer('till-2'));
    services.feed.left('key-till-2', null);
    assert.equal(await stateOf(services, 'peers'), 'degraded');
    services.feed.followed(opened('till-2'), peer('till-2'));
    assert.equal(await stateOf(services, 'peers'), 'healthy');

    clocks.observe('a', 3_600_000, 0);
    clocks.observe('b', 3_600_000, 0);
    assert.equal(await stateOf(services, 'clock'), 'unhealthy');
    clocks.forget('a');
    clocks.forget('b');
    assert.equal(await stateOf(services, 'clock'), 'healthy');

    services.offlineQueue.setOnline(false);
    for (const key of ['a', 'b']) services.offlineQueue.enqueue({ type: 'delete', collection: 'c', key });
    assert.equal(await stateOf(services, 'offline-queue'), 'unhealthy');
    await services.offlineQueue.clear();
    assert.equal(await stateOf(services, 'offline-queue'), 'healthy');
    assert.equal((await services.healthCheck.check()).isHealthy, true);
  }));

test('a database file that is removed while open is reported, although it can still be written', () =>
  withServices({}, async ({ services, path }) => {
    assert.equal(await stateOf(services, 'database'), 'healthy');
    unlinkSync(path);
    assert.equal(await stateOf(services, 'database'), 'unhealthy');
  }));

test('a damaged document throws when read, is reported as unhealthy, and comes back from the newest good backup', () =>
  withServices({ persistence: { backupPath: 'backups' } }, async ({ services, database, network, clock, path }) => {
    const tills = database.collection('tills');
    await tills.put('a', { n: 1 });
    await tills.put('b', { n: 2 });
    await services.backup('good.db');
    tamper(path, `UPDATE doc SET value = '{"n":666}' WHERE key = 'a'`);
    database.cache.clear();
    await assert.rejects(tills.get('a'), { reason: 'DOCUMENT_CORRUPT' });
    await until(() => services.repair.status().damaged === 1);
    assert.equal(await stateOf(services, 'integrity'), 'unhealthy');
    assert.equal(network.ended, 1);
    clock.advance(1000);
    await until(() => services.repair.status().damaged === 0);
    assert.deepEqual(await tills.get('a'), { n: 1 });
    assert.deepEqual(await tills.get('b'), { n: 2 });
    assert.equal(await stateOf(services, 'integrity'), 'degraded', 'mentioned for a day');
    await services.checkIntegrity();
  }));

test('a manual check names what is damaged and starts the repair', () =>
  withServices({}, async ({ services, database, path }) => {
    await database.collection('tills').put('a', { n: 1 });
    await database.flush();
    tamper(path, `UPDATE doc SET value = '{"n":666}' WHERE key = 'a'`);
    await assert.rejects(services.checkIntegrity(), { reason: 'DATABASE_CORRUPT' });
    await until(() => services.repair.status().damaged === 1);
  }));

test('automatic backups are made while the node runs and once more at shutdown, but not if nothing changed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-services-'));
  try {
    const { services, database, clock } = await openServices(folder, { persistence: { backupPath: 'backups' } });
    services.start();
    await until(
      () => services.backups.lastBackupAt !== null,
      () => clock.advance(1),
    );
    assert.equal(services.metrics().find(({ name }) => name === 'entgldb_last_backup_seconds')!.value > 0, true);
    await database.collection('c').put('k', {});
    clock.advance(60_000);
    await services.stop(new AbortController().signal);
    await database.close();
    const names = readdirSync(join(folder, 'backups')).filter((name) => name.startsWith('auto-'));
    assert.equal(names.length, 2);
    assert.equal(clock.nextTimerAt(), undefined, 'no timer is left');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a backup at shutdown that takes too long is aborted, leaves nothing, and the log says which setting gives it time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-services-'));
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, message) => warnings.push(message), child: () => logger };
  try {
    const { services, database } = await openServices(folder, { persistence: { backupPath: 'backups' } }, logger);
    await services.stop(AbortSignal.abort(new Error('no time')));
    await database.close();
    assert.ok(!existsSync(join(folder, 'backups', 'latest.db')));
    assert.match(warnings.join(), /^the backup at shutdown was not made, .* raise Health\.ShutdownTimeoutMs$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a registered handler empties the queue when the first peer connects', () =>
  withServices({}, async ({ services, database }) => {
    services.offlineQueue.register(async ({ collection, key, data }) => {
      await database.collection(collection).put(key, data!);
    });
    await services.offlineQueue.enqueue({ type: 'put', collection: 'users', key: 'user1', data: { name: 'Alice' } });
    services.feed.followed(opened('till-2'), peer('till-2'));
    await until(() => services.offlineQueue.count === 0);
    assert.deepEqual(await database.collection('users').get('user1'), { name: 'Alice' });
  }));

test('metrics count writes by origin, reads by cache, rounds and lag', () =>
  withServices({}, async ({ services, database, network, clock }) => {
    const users = database.collection('users');
    await users.put('a', { n: 1 });
    await users.get('a');
    services.feed.followed(opened('till-2'), peer('till-2'));
    network.bytes = 500;
    services.feed.followed({ kind: 'up-to-date' }, peer('till-2'));
    network.bytes = 700;
    clock.advance(4000);
    services.feed.left('key-till-2', 'the line broke');
    services.feed.followed(opened('till-2'), peer('till-2'));
    clock.advance(2000);
    const value = (name: string, label?: string): number | undefined =>
      services
        .metrics()
        .find(
          (sample) =>
            sample.name === name && (label === undefined || Object.values(sample.labels ?? {}).includes(label)),
        )?.value;
    assert.equal(value('entgldb_writes_total', 'local'), 1);
    assert.equal(value('entgldb_writes_total', 'remote'), 0);
    assert.equal(value('entgldb_sync_rounds_total'), 1);
    assert.equal(value('entgldb_sync_bytes_total'), 700);
    network.bytes = 900;
    assert.equal(value('entgldb_sync_bytes_total'), 900, 'those of a session that has not reported yet, too');
    assert.equal(value('entgldb_sync_errors_total'), 1);
    assert.equal(value('entgldb_peer_lag_seconds', 'till-2'), 2);
    assert.ok(value('entgldb_database_bytes')! > 0);
    assert.ok(value('entgldb_cache_hits_total')! + value('entgldb_cache_misses_total')! > 0);
  }));

test('two devices with the same name are two peers', () =>
  withServices({}, async ({ services }) => {
    services.feed.followed(opened('till'), { deviceKey: 'aaaaaaaaaaaa', node: 'till', address: '' });
    services.feed.followed(opened('till'), { deviceKey: 'bbbbbbbbbbbb', node: 'till', address: '' });
    services.feed.left('aaaaaaaaaaaa', null);
    const { activePeers } = services.syncTracker.getStatus();
    assert.deepEqual(
      activePeers.map(({ nodeId }) => nodeId),
      ['till (bbbbbbbb)'],
    );
    assert.equal(services.syncTracker.isOnline, true);
  }));

function peer(node: string) {
  return { deviceKey: `key-${node}`, node, address: '127.0.0.1:5001' };
}

function opened(node: string) {
  return { kind: 'opened', hello: { node } as never, wallOffsetMs: 0 } as const;
}

/** Changes the open file without the store's knowledge. */

test('the backup at shutdown gets all but two seconds of the time for a stop, and at least half of it', () => {
  assert.deepEqual([1, 3000, 5000, 60_000].map(shutdownBackupMsMax), [1, 1500, 3000, 58_000]);
});
