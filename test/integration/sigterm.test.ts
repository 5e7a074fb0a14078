/**
 * Goal: SIGTERM at any moment under load ends a node with exit code 0 within 5 s, loses no acknowledged write and frees its
 * ports. A peer that hangs cannot delay it, and a second signal ends it at once. Method: real processes that are written to
 * and sync with a peer all the time are stopped at random moments, again and again on one database and one port. The test
 * keeps the ledger.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSeededRandom } from '../../src/testing/index.ts';
import {
  areEqual,
  eventually,
  HUNG_MS,
  lastingPort,
  makeFolder,
  NodeProcess,
  pause,
  percentile,
  SCALE,
  writeToken,
} from './node-process.ts';
import { nowMs, runningMs } from './running-time.ts';
import { readLedger, WriteLedger, writeUntilGone } from './write-ledger.ts';

const ROUNDS = 5 * SCALE;
const WRITERS = 4;
const STOP_MS_MAX = 5000;
/** A stop may be over before its second signal comes. */
const STOPS_MAX = 5;
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

test(`${ROUNDS} times SIGTERM under load: exit code 0 in time, every acknowledged write is there, ports are free`, {
  timeout: HUNG_MS,
}, async (t) => {
  t.diagnostic(`seed ${SEED} (ENTGLDB_TEST_SEED)`);
  const random = createSeededRandom(SEED);
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const peer = await NodeProcess.start(t, { folder: join(folder, 'peer'), name: 'peer', tokenFile });
  const options = { folder: join(folder, 'node'), name: 'node', tokenFile, peers: [peer.address], settings: {} };
  const ledger = new WriteLedger();
  const counter = { next: 1 };
  const stopsMs: number[] = [];
  const tcpPort = await lastingPort();
  for (let round = 1; round <= ROUNDS; round++) {
    const node = await NodeProcess.start(t, { ...options, tcpPort });
    ledger.check(await readLedger(node), `round ${round}`);
    assert.deepEqual((await node.status()).notices, [], 'a stop leaves nothing to tell');
    const ending = new AbortController();
    const writers = Array.from({ length: WRITERS }, (_, i) =>
      writeUntilGone(node, i, ledger, counter, random.fork(), ending.signal),
    );
    await pause(random.integer(0, 400));
    const startedAt = nowMs();
    const code = await node.stop();
    stopsMs.push(runningMs(startedAt));
    ending.abort();
    await Promise.all(writers);
    assert.equal(code, 0, `round ${round}: ${JSON.stringify(node.log.slice(-5))}`);
    for (const { port } of [node.ready.tcp!, node.ready.http!]) await takePort(port);
  }
  const node = await NodeProcess.start(t, { ...options, tcpPort });
  ledger.check(await readLedger(node), 'at the end');
  await eventually('node and peer are equal', () => areEqual([node, peer]));
  const [middle, longest] = [percentile(stopsMs, 0.5), Math.max(...stopsMs)].map(Math.round);
  t.diagnostic(`${ledger.acknowledged} acknowledged writes; a stop took ${middle} ms, at most ${longest} ms`);
  assert.ok(longest! < STOP_MS_MAX);
});

test('a peer that hangs and clients that do not read cannot delay a stop', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const peer = await NodeProcess.start(t, { folder: join(folder, 'peer'), name: 'peer', tokenFile });
  const start = { folder: join(folder, 'node'), name: 'node', tokenFile, peers: [peer.address] };
  const node = await NodeProcess.start(t, start);
  await eventually('they meet', async () => (await node.status()).connectedPeers === 1);
  peer.signal('SIGSTOP');
  const pad = 'x'.repeat(10_000);
  for (let i = 0; i < 20; i++)
    await node.collection('c').putMany(Array.from({ length: 100 }, (_, j) => [`k${i}.${j}`, { pad }] as const));
  // A client that reads only the first bytes of an endless answer.
  const changes = await node.client.open({
    method: 'GET',
    path: '/api/v1/collections/c/changes',
    answerMsMax: 9999,
  });
  changes.pause();
  changes.on('error', () => {});
  const startedAt = nowMs();
  assert.equal(await node.stop(), 0);
  const ms = runningMs(startedAt);
  t.diagnostic(`stopped after ${Math.round(ms)} ms`);
  assert.ok(ms < STOP_MS_MAX);
  peer.signal('SIGCONT');
  const again = await NodeProcess.start(t, start);
  assert.equal(await again.collection('c').count(), 2000);
});

test('a second signal ends a slow stop at once, and nothing acknowledged is lost', {
  timeout: HUNG_MS,
}, async (t) => {
  const folder = await makeFolder(t);
  const settings = { Persistence: { BackupPath: 'backups' }, Health: { ShutdownTimeoutMs: 60_000 } };
  const start = { folder, name: 'node', settings };
  let node = await NodeProcess.start(t, start);
  const pad = 'x'.repeat(10_000);
  // Something for the backup at shutdown to do.
  for (let i = 0; i < 50; i++)
    await node.collection('c').putMany(Array.from({ length: 100 }, (_, j) => [`k${i}.${j}`, { pad }] as const));
  let wasEnded = false;
  for (let stop = 1; !wasEnded && stop <= STOPS_MAX; stop++) {
    await node.collection('c').put('last', { stop });
    node.signal('SIGTERM');
    await eventually('it is stopping', () => node.logged('stopping').length > 0);
    const code = await node.stop();
    // A signal that ends a process leaves no exit code. If it came too late, the stop was over before.
    assert.ok(code === null || code === 0, `exit code ${code}`);
    wasEnded = code === null;
    node = await NodeProcess.start(t, start);
    assert.deepEqual(await node.collection('c').get('last'), { stop });
    assert.equal(await node.collection('c').count(), 5001);
  }
  assert.ok(wasEnded, `${STOPS_MAX} times the stop was over before the second signal came`);
});

/** Listens on the port for a moment; rejects if somebody still holds it. */
async function takePort(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
