/**
 * Goal: SIGHUP applies what may change in a running node and names what needs a restart; a bad file changes nothing.
 * Method: a real process with a settings file of its own; its log is read line by line.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, makeFolder, NodeProcess, PATIENCE_MS, writeToken } from './node-process.ts';

const MAIN = fileURLToPath(new URL('../../src/node/cli/main.ts', import.meta.url));
const TOKEN = 'the token of the cluster';
const START = ['start', '--tcp-port', '0', '--http-port', '0', '--no-discovery', '--config', 'appsettings.json'];
const TOKEN_FILE = ['--token-file', 'cluster.token'];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entgldb-reload-'));
});
after(() => rm(folder, { recursive: true }));

function settings(section: object, level = 'Information'): Promise<void> {
  const text = JSON.stringify({ EntglDb: section, Logging: { LogLevel: { Default: level } } });
  return writeFile(join(folder, 'appsettings.json'), text);
}

function till(cacheSizeMb: number, more: object = {}): object {
  return { Persistence: { CacheSizeMb: cacheSizeMb, DatabasePath: 'till/entgldb.db' }, ...more };
}

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly changed?: readonly string[];
  readonly applied?: readonly string[];
  readonly needRestart?: readonly string[];
}

/** Sends SIGHUP and returns the line that answers it. */
async function hangUp(node: ChildProcess, log: AsyncIterator<string>): Promise<Line> {
  node.kill('SIGHUP');
  return nextLine(log, 'read again');
}

async function nextLine(log: AsyncIterator<string>, part: string): Promise<Line> {
  for (;;) {
    const { value, done } = await log.next();
    assert.notEqual(done, true, `the log ended before a line with "${part}" came`);
    const line = JSON.parse(value) as Line;
    if (line.msg.includes(part)) return line;
  }
}

test('SIGHUP applies levels, names what needs a restart, and keeps everything when the file is bad', async () => {
  await settings(till(10));
  await writeFile(join(folder, 'cluster.token'), TOKEN, { mode: 0o600 });
  const node = spawn(process.execPath, [MAIN, ...START, ...TOKEN_FILE], {
    cwd: folder,
    env: { ...process.env, EntglDb__Health__ShutdownTimeoutMs: String(PATIENCE_MS) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const log = createInterface({ input: node.stderr })[Symbol.asyncIterator]();
    await once(node.stdout, 'data');

    await settings(till(20, { Network: { TcpPort: 1 }, Http: { Host: '::1' } }), 'Debug');
    const first = await hangUp(node, log);
    assert.equal(first.level, 'Information');
    assert.deepEqual(first.changed, ['Persistence.CacheSizeMb', 'Http.Host', 'Logging.LogLevel']);
    assert.deepEqual(first.applied, ['Persistence.CacheSizeMb', 'Logging.LogLevel']);
    const warning = await nextLine(log, 'need a restart');
    assert.equal(warning.level, 'Warning');
    assert.deepEqual(warning.needRestart, ['Http.Host'], 'the port was set by a flag, which is stronger than the file');

    // The path stays the same, so whoever changed the file must be told what came of it.
    await writeFile(join(folder, 'cluster.token'), 'another token of the cluster', { mode: 0o600 });
    assert.deepEqual((await hangUp(node, log)).applied, ['Network.AuthTokenFile']);
    assert.deepEqual((await nextLine(log, 'need a restart')).needRestart, ['Http.Host']);

    await writeFile(join(folder, 'appsettings.json'), '{ "EntglDb": ');
    assert.equal((await hangUp(node, log)).level, 'Error');
    await rm(join(folder, 'appsettings.json'));
    assert.equal((await hangUp(node, log)).level, 'Error');

    // What was applied still counts, and what needs a restart is still compared with the running settings.
    await settings(till(20), 'Debug');
    assert.deepEqual((await hangUp(node, log)).changed, []);
    await settings(till(20), 'Error');
    assert.deepEqual((await hangUp(node, log)).changed, ['Logging.LogLevel']);

    node.kill('SIGTERM');
    const rest: Line[] = [];
    for (let next = await log.next(); next.done !== true; next = await log.next()) rest.push(JSON.parse(next.value));
    assert.ok(!rest.some(({ level }) => level === 'Information'), 'Error hides that the node stopped');
    assert.deepEqual([node.exitCode ?? (await once(node, 'exit'))[0]], [0]);
  } finally {
    node.kill('SIGKILL');
  }
});

test('what a running node may change takes effect at once: peers, limits, queue, backups, checks', async (t) => {
  const root = await makeFolder(t);
  const tokenFile = await writeToken(root);
  const start = (name: string, more: object = {}) =>
    NodeProcess.start(t, { folder: join(root, name), name, tokenFile, ...more });
  const [b, c] = [await start('b'), await start('c')];
  const own = (section: object) =>
    writeFile(join(root, 'a', 'appsettings.json'), JSON.stringify({ EntglDb: section, Logging: {} }));
  const peers = (...nodes: readonly NodeProcess[]) => nodes.map(({ address }) => ({ Address: address }));
  const hourly = { SyncIntervalMs: 3_600_000, MaxQueueSize: 5 };
  const a = await start('a', { settings: { Network: { KnownPeers: peers(b) }, Sync: hourly } });
  await eventually('a has b', async () => (await a.status()).connectedPeers === 1);

  await own({
    Network: { KnownPeers: peers(c), RetryAttempts: 2, ConnectionTimeoutMs: 700 },
    Sync: { SyncIntervalMs: 200, MaxQueueSize: 7 },
    Health: { IntervalSeconds: 1, ScrubMegabytesPerSecond: 50 },
    Persistence: { CacheSizeMb: 33, BackupRetention: 2 },
    Limits: { TransactionDocumentsMax: 3 },
  });
  a.signal('SIGHUP');
  const ms = await eventually('a has c, and b no more', async () => {
    const found = (await a.peers()).filter(({ state }) => state === 'connected');
    return found.length === 1 && found[0]!.nodeId === 'c';
  });
  t.diagnostic(`another peer ${Math.round(ms)} ms after SIGHUP`);
  // Its log comes by another way than its answers.
  await eventually('it said so', () => a.logged('configuration read again').length > 0);
  const [said] = a.logged('configuration read again');
  assert.deepEqual(said!.changed, said!.applied);
  assert.equal((said!.applied as string[]).length, 10);
  assert.deepEqual(a.logged('need a restart'), []);
  const four = Array.from({ length: 4 }, (_, i) => [`k${i}`, { i }] as const);
  await assert.rejects(a.collection('c').putMany(four), { reason: 'TRANSACTION_TOO_LARGE' });

  // Then every peer is gone and none is known any more; a node that is alone by its settings is healthy.
  await own({});
  a.signal('SIGHUP');
  await eventually('a is alone', async () => (await a.status()).connectedPeers === 0);
  await eventually('and well', async () => {
    const { checks } = await a.health();
    return checks.find(({ name }) => name === 'peers')!.state === 'healthy';
  });
  await a.collection('c').putMany(four);
});
