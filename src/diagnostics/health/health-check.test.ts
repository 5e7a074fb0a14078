/**
 * Goal: health reports the present truth, never hangs, never throws, recovers by itself, and reports each change once.
 * Method: checks that answer, throw and hang, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../core/logging/index.ts';
import { createManualClock } from '../../testing/index.ts';
import { SyncStatusTracker } from '../sync-status-tracker.ts';
import { degraded, EntglDbHealthCheck, type HealthCheck, healthy, unhealthy } from './index.ts';

function setUp(checks: readonly HealthCheck[]) {
  const clock = createManualClock();
  const lines: string[] = [];
  const line = (level: string) => (fields: object) => lines.push(`${level} ${(fields as { check: string }).check}`);
  const logger = { ...silentLogger, info: line('info'), warn: line('warn'), error: line('error') };
  const tracker = new SyncStatusTracker({ clock });
  const health = new EntglDbHealthCheck({ checks, tracker, clock, logger, intervalMs: 60_000 });
  return { clock, lines, tracker, health };
}

const fixed = (name: string, finding = healthy('fine'), part?: 'database' | 'network'): HealthCheck => ({
  name,
  ...(part && { part }),
  run: () => finding,
});

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

test("a node without a fault is healthy, with the guide's flat fields on top", async () => {
  const { clock, tracker, health } = setUp([fixed('database', healthy('fine'), 'database')]);
  tracker.updatePeer('till-2', { isConnected: true });
  tracker.recordPeerSuccess('till-2');
  assert.deepEqual(await health.check(), {
    isHealthy: true,
    state: 'healthy',
    databaseHealthy: true,
    networkHealthy: true,
    connectedPeers: 1,
    lastSyncTime: clock.now(),
    errors: [],
    checks: [{ name: 'database', isHealthy: true, state: 'healthy', message: 'fine' }],
  });
});

test('each part depends on its own checks, and a failure is named with its reason', async () => {
  const { health } = setUp([
    fixed('database', unhealthy('locked'), 'database'),
    fixed('network', healthy('listens'), 'network'),
    fixed('clock', degraded('a bit off')),
    {
      name: 'backup',
      run: () => {
        throw new Error('the folder is gone');
      },
    },
  ]);
  const report = await health.check();
  assert.deepEqual(
    [report.isHealthy, report.state, report.databaseHealthy, report.networkHealthy],
    [false, 'unhealthy', false, true],
  );
  assert.deepEqual(report.errors, ['database: locked', 'backup: the folder is gone']);
});

test('a node that lost all peers is healthy, because it works, but its network is not', async () => {
  const { health } = setUp([fixed('network', healthy('x'), 'network'), fixed('peers', degraded('gone'), 'network')]);
  const report = await health.check();
  assert.deepEqual([report.isHealthy, report.state, report.networkHealthy], [true, 'degraded', false]);
});

test('a hanging check is unhealthy after its deadline, is not restarted meanwhile, and recovers when it answers', async () => {
  let begun = 0;
  let gate = Promise.withResolvers<void>();
  const { clock, health } = setUp([
    {
      name: 'disk-space',
      run: async () => {
        begun++;
        await gate.promise;
        return healthy('answered');
      },
    },
    fixed('network'),
  ]);
  const first = health.check();
  await settle();
  clock.advance(1500);
  assert.deepEqual((await first).errors, ['disk-space: has not answered within 1500 ms']);
  clock.advance(8500);
  assert.deepEqual((await health.check()).errors, ['disk-space: has not answered for 10 s']);
  assert.equal(begun, 1);
  gate.resolve();
  await settle();
  gate = Promise.withResolvers<void>();
  gate.resolve();
  assert.equal((await health.check()).isHealthy, true);
  assert.equal(clock.nextTimerAt(), undefined);
});

test('simultaneous calls share one run of the checks', async () => {
  let looks = 0;
  const { health } = setUp([{ name: 'database', run: async () => healthy(`look ${++looks}`) }]);
  const [a, b] = await Promise.all([health.check(), health.check()]);
  assert.equal(a, b);
  await health.check();
  assert.equal(looks, 2);
});

test('each change of state is logged and reported once, whoever asked, and a bad listener disturbs nobody', async () => {
  let finding = healthy('fine');
  const { health, lines } = setUp([{ name: 'clock', run: () => finding }]);
  const told: string[] = [];
  health.onChange(() => {
    throw new Error('bad listener');
  });
  health.onChange(({ name, before, after, message }) => told.push(`${name}: ${before} to ${after}, ${message}`));
  await health.check();
  finding = degraded('a bit off');
  for (let i = 0; i < 3; i++) await health.check();
  finding = unhealthy('far off');
  for (let i = 0; i < 3; i++) await health.check();
  finding = healthy('fine');
  for (let i = 0; i < 3; i++) await health.check();
  assert.deepEqual(lines, [
    'warn clock',
    'error undefined',
    'error clock',
    'error undefined',
    'info clock',
    'error undefined',
  ]);
  assert.deepEqual(told, [
    'clock: healthy to degraded, a bit off',
    'clock: degraded to unhealthy, far off',
    'clock: unhealthy to healthy, fine',
  ]);
});

test('while started, all checks run at each interval and quick ones every second, until stopped', async () => {
  const looks = { quick: 0, slow: 0 };
  const { clock, health } = setUp([
    { name: 'network', isQuick: true, run: () => healthy(`${++looks.quick}`) },
    { name: 'database', run: () => healthy(`${++looks.slow}`) },
  ]);
  health.start();
  health.start();
  await settle();
  assert.deepEqual(looks, { quick: 1, slow: 1 });
  for (let second = 0; second < 60; second++) {
    clock.advance(1000);
    await settle();
  }
  assert.deepEqual(looks, { quick: 61, slow: 2 });
  health.stop();
  clock.advance(120_000);
  await settle();
  assert.deepEqual([looks, clock.nextTimerAt()], [{ quick: 61, slow: 2 }, undefined]);
  health.start();
  await settle();
  assert.deepEqual(looks, { quick: 62, slow: 3 });
  health.stop();
});

test('a slow check runs early when something happened, and then each second until it is healthy again', async () => {
  let finding = healthy('fine');
  let runs = 0;
  const check: HealthCheck = {
    name: 'database',
    run: () => {
      runs++;
      return finding;
    },
  };
  const { clock, health } = setUp([check]);
  health.start();
  await settle();
  finding = unhealthy('locked');
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1000);
      await settle();
    }
  };
  await pass(5);
  assert.equal(runs, 1, 'nobody said that there was anything to see');
  const changes: string[] = [];
  health.onChange(({ before, after }) => changes.push(`${before} ${after}`));
  health.lookAt('database');
  await pass(3);
  assert.deepEqual([runs, changes], [4, ['healthy unhealthy']]);
  finding = healthy('fine');
  await pass(5);
  assert.deepEqual([runs, changes], [5, ['healthy unhealthy', 'unhealthy healthy']]);

  health.changeInterval(2000);
  await pass(4);
  assert.equal(runs, 7);
  health.stop();
});
