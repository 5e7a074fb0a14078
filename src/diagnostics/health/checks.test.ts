/**
 * Goal: each check names its fault in plain words while it lasts, and is healthy again when it is gone.
 * Method: each check alone, on what it reads; the database check on the real engine with a disk that refuses writes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockMonitor } from '../../core/clock/index.ts';
import type { PeerTrouble } from '../../core/replication/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';
import { SyncStatusTracker } from '../sync-status-tracker.ts';
import {
  type BackupStatus,
  createBackupCheck,
  createClockCheck,
  createDatabaseCheck,
  createDefinitionsCheck,
  createDiskSpaceCheck,
  createIntegrityCheck,
  createNetworkCheck,
  createPeersCheck,
  createQueueCheck,
  createSyncLagCheck,
  type HealthCheck,
  type IntegrityStatus,
  type PeerMismatch,
  type QueueStatus,
} from './index.ts';

const MB = 1024 * 1024;

const look = async (check: HealthCheck): Promise<[state: string, message: string]> => {
  const { state, message } = await check.run(new AbortController().signal);
  return [state, message];
};

const state = async (check: HealthCheck): Promise<string> => (await look(check))[0];

test('database: writes, makes durable and reads, and fails with the reason of the disk', async () => {
  const clock = createManualClock();
  const { replica, store } = openMemoryReplica({ clock, random: createSeededRandom(1) });
  let inPlace = true;
  const check = createDatabaseCheck({ database: replica, clock, isInPlace: async () => inPlace });
  assert.equal(await state(check), 'healthy');
  store.failCommits(1, 'DISK_FULL');
  assert.equal(await state(check), 'healthy', 'within a second it does not write again');
  clock.advance(1000);
  await assert.rejects(look(check), { reason: 'DISK_FULL' });
  assert.equal(await state(check), 'healthy');
  clock.advance(1000);
  store.failFlushes(1, 'IO_FAILED');
  await assert.rejects(look(check), { reason: 'IO_FAILED' });
  assert.equal(await state(check), 'healthy');
  inPlace = false;
  assert.match((await look(check))[1], /removed, replaced or written over/);
  inPlace = true;
  assert.equal(await state(check), 'healthy');
  await store.close();
  await assert.rejects(look(check), { reason: 'DATABASE_CLOSED' }, 'in the same second, too');
  clock.advance(1000);
  await assert.rejects(look(check), { reason: 'DATABASE_CLOSED' });
});

test('definitions: differences that last longer than a start takes, each in a sentence', async () => {
  const clock = createManualClock();
  let found: PeerMismatch[] = [];
  const check = createDefinitionsCheck(() => found, clock);
  assert.equal(await state(check), 'healthy');
  found = [{ peer: 'till', collection: 'users', part: 'version', ours: '2', theirs: '1' }];
  assert.equal(await state(check), 'healthy', 'a program may still be defining');
  clock.advance(2000);
  assert.deepEqual(await look(check), [
    'degraded',
    'collection "users" has version 2 here and version 1 on till: update the older program',
  ]);
  found = Array.from({ length: 8 }, () => ({
    ...found[0]!,
    part: 'resolver' as const,
    ours: 'lww@1',
    theirs: 'merge@1',
  }));
  assert.match((await look(check))[1], /resolved by lww@1 here and by merge@1 on till.*; 3 more such mismatches/);
  found = [];
  assert.equal(await state(check), 'healthy');
});

test('disk-space: names the free space, and judges small disks by their size', async () => {
  let freeBytes = 10_000 * MB;
  let totalBytes = 100_000 * MB;
  const check = createDiskSpaceCheck(async () => ({ freeBytes, totalBytes }));
  assert.deepEqual(await look(check), ['healthy', '10000 MB of 100000 MB are free']);
  freeBytes = 200 * MB;
  assert.equal(await state(check), 'degraded');
  freeBytes = 20 * MB;
  assert.deepEqual(await look(check), ['unhealthy', '20 MB of 100000 MB are free; make room before writes fail']);
  totalBytes = 100 * MB;
  assert.equal(await state(check), 'healthy');
  freeBytes = 1 * MB;
  assert.equal(await state(check), 'unhealthy');
});

test('integrity: damage is unhealthy until it is repaired, and remembered for a day', async () => {
  const clock = createManualClock();
  const sound: IntegrityStatus = {
    damaged: 0,
    missing: 0,
    isReadOnly: false,
    lastRepairAt: null,
    lastScrubAt: null,
    fileProblem: null,
  };
  let now = sound;
  const check = createIntegrityCheck(() => now, clock);
  assert.deepEqual(await look(check), ['healthy', 'no damage known; not all is checked yet']);
  for (const [change, expected] of [
    [{ lastScrubAt: 1 }, 'healthy'],
    [{ damaged: 2 }, 'unhealthy'],
    [{ isReadOnly: true }, 'unhealthy'],
    [{ fileProblem: 'page 7 is torn' }, 'unhealthy'],
    [{ missing: 1 }, 'degraded'],
    [{ lastRepairAt: clock.now() }, 'degraded'],
    [{ lastRepairAt: clock.now() - 25 * 3600 * 1000 }, 'healthy'],
  ] as const) {
    now = { ...sound, ...change };
    assert.equal(await state(check), expected, JSON.stringify(change));
  }
});

test('network: a lost listening port is unhealthy with its reason, no network on purpose is fine', async () => {
  const status = { isEnabled: true, isListening: true, address: '0.0.0.0:5000', problem: null as string | null };
  const check = createNetworkCheck(() => status);
  assert.deepEqual(await look(check), ['healthy', 'listens on 0.0.0.0:5000']);
  status.isListening = false;
  status.problem = 'port 5000 is taken';
  assert.match((await look(check))[1], /cannot connect: port 5000 is taken/);
  assert.equal(await state(check), 'unhealthy');
  status.isEnabled = false;
  assert.deepEqual(await look(check), ['healthy', 'this node is off the network']);
});

test('peers: a node without known peers is fine, one cut off from known peers is not', async () => {
  const clock = createManualClock();
  const tracker = new SyncStatusTracker({ clock });
  let configured = 0;
  const check = createPeersCheck({
    tracker,
    configuredPeers: () => configured,
    isEnabled: () => true,
    troubles: () => [],
    clock,
  });
  assert.deepEqual(await look(check), ['healthy', 'none is known; this node works alone']);
  configured = 2;
  assert.deepEqual(await look(check), ['healthy', 'none of 2 is connected yet']);
  clock.advance(10_000);
  assert.equal(await state(check), 'degraded');
  tracker.updatePeer('a', { isConnected: true });
  assert.deepEqual(await look(check), ['healthy', '1 of 2 connected']);
  tracker.updatePeer('a', { isConnected: false });
  assert.equal(await state(check), 'degraded');
});

test('peers: a node that is heard and not connected is named with what to do, also beside connected ones', async () => {
  const clock = createManualClock();
  const tracker = new SyncStatusTracker({ clock });
  const why = 'timed out';
  let found: PeerTrouble[] = [{ kind: 'unreached', node: null, address: '10.0.0.2:5000', forMs: 61_000, why }];
  const check = createPeersCheck({
    tracker,
    configuredPeers: () => 0,
    isEnabled: () => true,
    troubles: () => found,
    clock,
  });
  tracker.updatePeer('a', { isConnected: true });
  assert.match(
    (await look(check)).join(' '),
    /^degraded 10\.0\.0\.2:5000 is heard, .* 61 seconds \(timed out\); .*firewall.*ConnectionTimeoutMs/,
  );
  found = [{ kind: 'restless', node: 'till-2', address: '10.0.0.2:5000', forMs: null, why }];
  assert.match(
    (await look(check)).join(' '),
    /^degraded connections with till-2 \(10\.0\.0\.2:5000\) end again and again.*MTU/,
  );
  found = [{ ...found[0]!, why: 'the link was closed: frame too large' }];
  assert.match((await look(check)).join(' '), /again and again.*FrameBytesMax of this node: raise that here/);
  found = [{ ...found[0]!, why: 'the link was closed: this node cannot go on: the disk is full' }];
  assert.match(
    (await look(check)).join(' '),
    /again and again.*the disk is full\); the connections are good again when/,
  );
  found = [{ ...found[0]!, why: 'the link was closed: the peer said goodbye' }];
  assert.match((await look(check)).join(' '), /again and again.*that node ends them itself: `entgldb status`/);
  found = [];
  assert.equal(await state(check), 'healthy');
});

test('sync-lag: a connected peer without a completed round is named', async () => {
  const clock = createManualClock();
  const tracker = new SyncStatusTracker({ clock });
  const check = createSyncLagCheck({ tracker, clock });
  assert.equal(await state(check), 'healthy');
  tracker.updatePeer('till-3', { isConnected: true });
  clock.advance(30_000);
  assert.equal(await state(check), 'healthy');
  clock.advance(5000);
  assert.deepEqual(await look(check), [
    'degraded',
    'no round with till-3 was completed for 35 s, though it is connected',
  ]);
  tracker.recordPeerSuccess('till-3');
  assert.equal(await state(check), 'healthy');
});

test('clock: this clock is unhealthy if a majority disagrees, and only degraded if a single other does', async () => {
  const monitor = new ClockMonitor(60_000);
  const check = createClockCheck(() => monitor.assess(), 60_000);
  assert.equal(await state(check), 'healthy');
  monitor.observe('a', 3_600_000, 0);
  assert.deepEqual(await look(check), [
    'degraded',
    'this clock and another are 60 minutes apart; a third would tell which is off',
  ]);
  monitor.observe('b', 3_600_000, 0);
  assert.match((await look(check))[1], /60 minutes behind those of the other nodes; set it right/);
  assert.equal(await state(check), 'unhealthy');
  monitor.observe('a', 10, 0);
  monitor.observe('b', -10, 0);
  assert.deepEqual(await look(check), ['healthy', 'agrees with 2 others']);
});

test('offline-queue: full, nearly full and blocked by a failing operation are distinguished', async () => {
  const base: QueueStatus = { count: 0, maxSize: 10, overflow: 'reject', firstAttempts: 0, firstError: null };
  for (const [change, expected] of [
    [{}, 'healthy'],
    [{ count: 7 }, 'healthy'],
    [{ count: 8 }, 'degraded'],
    [{ count: 10 }, 'unhealthy'],
    [{ count: 10, overflow: 'drop-oldest' }, 'degraded'],
    [{ count: 1, firstAttempts: 5, firstError: 'no table' }, 'degraded'],
  ] as const) {
    assert.equal(await state(createQueueCheck(() => ({ ...base, ...change }))), expected, JSON.stringify(change));
  }
});

test('backup: a late or failed backup is degraded, backups turned off are fine', async () => {
  const clock = createManualClock();
  const base: BackupStatus = {
    isEnabled: true,
    intervalMs: 3_600_000,
    lastBackupAt: null,
    startedAt: clock.now(),
    lastError: null,
  };
  let now = base;
  const check = createBackupCheck(() => now, clock);
  assert.equal(await state(check), 'healthy');
  clock.advance(7_200_001);
  assert.equal(await state(check), 'degraded');
  now = { ...base, lastBackupAt: clock.now() - 600_000 };
  assert.deepEqual(await look(check), ['healthy', 'the newest is 10 minutes old']);
  now = { ...base, lastBackupAt: clock.now() + 3 * 24 * 3_600_000 };
  assert.deepEqual(await look(check), ['healthy', 'the newest is dated 3 days ahead of this clock']);
  now = { ...base, lastBackupAt: clock.now() + 500 };
  assert.deepEqual(await look(check), ['healthy', 'the newest is 0 seconds old']);
  now = { ...base, lastBackupAt: clock.now() - 600_000 };
  now = { ...now, lastError: 'the disk is full' };
  assert.match((await look(check))[1], /the last one failed: the disk is full/);
  now = { ...base, isEnabled: false };
  assert.equal(await state(check), 'healthy');
});
