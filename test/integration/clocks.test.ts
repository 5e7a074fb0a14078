/**
 * Goal: a wrong clock harms nobody (R10). A later write that saw what it replaces wins everywhere; nothing waits; the node
 * with the wrong clock is told itself; and once its clock is right, it goes on. Method: three real processes, one of them
 * with a clock that is ten years ahead, three days behind, or set back by an hour while it writes.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readAll } from '../../src/node/cli/http-client.ts';
import {
  areEqual,
  eventually,
  HUNG_MS,
  makeFolder,
  NodeProcess,
  pause,
  runCommand,
  type StartOptions,
  shiftedClock,
  writeToken,
} from './node-process.ts';
import { nowMs, runningMs } from './running-time.ts';

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
const LOOPBACK = { Network: { LocalhostOnly: true } };
const DOCUMENTS = 50;
/** A write that waited for a clock would wait for an hour at least; one on a busy machine takes seconds. */
const WRITE_MS_MAX = 10_000;
/** A clock that is set is pinged to all peers, and each pings back within 5 s; otherwise clocks are compared every 30 s. */
const NOTICED_MS_MAX = 30_000;

// They mostly wait for the next ping, so they can run side by side.
describe('clocks', { concurrency: true }, () => {
  for (const [name, shiftMs] of [
    ['ten years ahead', 3650 * DAY_MS],
    ['three days behind', -3 * DAY_MS],
  ] as const) {
    test(`a node ${name}: later writes win, it is told itself, and it goes on once its clock is right`, {
      timeout: HUNG_MS,
    }, async (t) => {
      const { honest, options } = await startHonest(t);
      const env = shiftedClock(options.folder, shiftMs);
      // It writes much under its wrong clock before it meets anybody.
      const alone = await NodeProcess.start(t, { ...options, env });
      await put(alone, 'alone', 'culprit');
      await put(honest[1], 'shared', 'honest');
      assert.equal(await alone.stop(), 0);
      const culprit = await NodeProcess.start(t, { ...options, env, peers: honest.map(({ address }) => address) });
      const all = [...honest, culprit];
      await eventually('all are equal', () => areEqual(all));
      await turnsAreTaken(all, 'alone');
      await turnsAreTaken(all, 'shared');
      await isTold(t, culprit, name);
      for (const node of honest)
        assert.equal(clockState(await health(node)), 'healthy', 'the honest ones are not blamed');
      setClock(culprit, options, 0);
      const ms = await eventually('its screen is clear', () => isClear(culprit), NOTICED_MS_MAX);
      t.diagnostic(`told, and clear again ${Math.round(ms)} ms after the clock was set right`);
      await turnsAreTaken(all, 'alone');
      await put(culprit, 'new', 'culprit, set right');
      await eventually('all are equal again', () => areEqual(all));
      assert.equal(await culprit.stop(), 0);
      const again = await NodeProcess.start(t, { ...options, peers: honest.map(({ address }) => address) });
      await turnsAreTaken([...honest, again], 'new');
      await eventually('equal after a restart', () => areEqual([...honest, again]));
      await newerWins([...honest, again], again);
    });
  }

  test('while a node writes, its clock is set back by an hour: nothing stalls, and every later write wins', {
    timeout: HUNG_MS,
  }, async (t) => {
    const { honest, options } = await startHonest(t);
    const node = await NodeProcess.start(t, {
      ...options,
      env: shiftedClock(options.folder, 0),
      peers: honest.map(({ address }) => address),
    });
    const all = [...honest, node];
    await eventually('all are connected', async () => (await node.status()).connectedPeers === 2);
    const ending = new AbortController();
    const writing = writeOn(node, ending.signal);
    await pause(300);
    setClock(node, options, -HOUR_MS);
    const noticedMs = await eventually(
      'the culprit is told',
      async () => clockState(await health(node)) === 'unhealthy',
      NOTICED_MS_MAX,
    );
    await turnsAreTaken(all, 'while-behind');
    setClock(node, options, 0);
    await eventually('its screen is clear', () => isClear(node), NOTICED_MS_MAX);
    ending.abort();
    const { written, slowestMs } = await writing;
    t.diagnostic(
      `${written} writes, the slowest ${Math.round(slowestMs)} ms; noticed after ${Math.round(noticedMs)} ms`,
    );
    assert.ok(slowestMs < WRITE_MS_MAX);
    await eventually('all are equal', () => areEqual(all));
    for (const each of all) assert.deepEqual(await each.collection('running').get('k'), { n: written });
    for (const each of honest) assert.deepEqual((await each.status()).notices, []);
  });
});

async function startHonest(t: TestContext): Promise<{ honest: [NodeProcess, NodeProcess]; options: StartOptions }> {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const start = (name: string, peers: readonly string[]): Promise<NodeProcess> =>
    NodeProcess.start(t, { folder: join(folder, name), name, tokenFile, peers, settings: LOOPBACK });
  const a = await start('a', []);
  const b = await start('b', [a.address]);
  const options = { folder: await makeFolder(t), name: 'culprit', tokenFile, settings: LOOPBACK };
  return { honest: [a, b], options };
}

async function put(node: NodeProcess, prefix: string, by: string): Promise<void> {
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => [`${prefix}-${i}`, { by }] as const);
  await node.collection('c').putMany(documents);
}

/** The nodes in turn overwrite what the previous one wrote. All must then read that write, without waiting for a clock. */
async function turnsAreTaken(nodes: readonly NodeProcess[], prefix: string): Promise<void> {
  for (let turn = 0; turn < nodes.length + 1; turn++) {
    const node = nodes[turn % nodes.length]!;
    const key = `${prefix}-0`;
    const by = `turn ${turn} of ${node.ready.nodeId}`;
    const startedAt = nowMs();
    if (turn === 1) await node.collection('c').delete(key);
    else await node.collection('c').put(key, { by });
    const ms = runningMs(startedAt);
    assert.ok(ms < WRITE_MS_MAX, `a write took ${Math.round(ms)} ms`);
    const expected = turn === 1 ? undefined : by;
    await eventually(`${by} is read everywhere`, async () => {
      const found = await Promise.all(nodes.map((each) => each.collection('c').get(key)));
      return found.every((value) => value?.by === expected);
    });
  }
}

/** The culprit writes a document, then an honest node writes it without having seen that: readers see the later write. */
async function newerWins(nodes: readonly NodeProcess[], culprit: NodeProcess): Promise<void> {
  await culprit.collection('c').put('contested', { by: 'nobody yet' });
  await eventually('all are equal before the conflict', () => areEqual(nodes));
  await culprit.setNetworkPaused(true);
  await culprit.collection('c').put('contested', { by: 'culprit' });
  await pause(5);
  await nodes[0]!.collection('c').put('contested', { by: 'honest, later' });
  await culprit.setNetworkPaused(false);
  await eventually('all are equal after the conflict', () => areEqual(nodes));
  await eventually('the later write is read everywhere', async () => {
    const found = await Promise.all(nodes.map((each) => each.collection('c').get('contested')));
    return found.every((value) => value?.by === 'honest, later');
  });
}

async function isTold(t: TestContext, node: NodeProcess, name: string): Promise<void> {
  await eventually('the culprit is told', async () => clockState(await health(node)) === 'unhealthy', NOTICED_MS_MAX);
  const side = name.split(' ').at(-1)!;
  const data = ['--data', node.folder];
  const shown = await runCommand(['status', ...data]);
  assert.match(shown.out, new RegExp(`! the clock of this machine is \\d+ (days|years) ${side}.*set it right`));
  const checked = await runCommand(['health', ...data]);
  assert.equal(checked.code, 1);
  assert.match(checked.out, new RegExp(`clock.*${side}.*set it right`));
  const doctor = await runCommand(['doctor', ...data]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.out, /FAILED +health: .*clock/);
  t.diagnostic(shown.out.split('\n').find((line) => line.includes('clock'))!);
}

async function isClear(node: NodeProcess): Promise<boolean> {
  const [report, { notices }] = [await health(node), await node.status()];
  return clockState(report) === 'healthy' && !notices.join().includes('clock');
}

interface Health {
  readonly checks: readonly { readonly name: string; readonly state: string }[];
}

async function health(node: NodeProcess): Promise<Health> {
  const answer = await node.client.open({ method: 'GET', path: '/health' }, [503]);
  return JSON.parse(await readAll(answer)) as Health;
}

function clockState({ checks }: Health): string | undefined {
  return checks.find(({ name }) => name === 'clock')?.state;
}

function setClock(node: NodeProcess, { folder }: StartOptions, shiftMs: number): void {
  shiftedClock(folder, shiftMs);
  node.signal('SIGUSR2');
}

/** Counts up in one document until the signal. */
async function writeOn(node: NodeProcess, signal: AbortSignal): Promise<{ written: number; slowestMs: number }> {
  let [written, slowestMs] = [0, 0];
  while (!signal.aborted) {
    const startedAt = nowMs();
    await node.collection('running').put('k', { n: ++written });
    slowestMs = Math.max(slowestMs, runningMs(startedAt));
    await pause(5);
  }
  return { written, slowestMs };
}
