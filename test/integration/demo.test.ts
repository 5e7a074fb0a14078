/**
 * Goal: the demo ends with three equal nodes and reports what it measured. However it ends, it leaves no process and no
 * file. Method: the real command with its three processes and a small data set, in a temporary directory of its own.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/node/cli/main.ts', import.meta.url));
const PLACES = '1000';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entgldb-demo-test-'));
});
after(() => rm(folder, { recursive: true }));

function startDemo(...args: string[]): { readonly child: ChildProcess; out(): string; err(): string } {
  const child = spawn(process.execPath, [MAIN, 'demo', '--places', PLACES, ...args], {
    cwd: folder,
    env: {
      ...process.env,
      TMPDIR: folder,
      TEMP: folder,
      EntglDb__Network__TcpPort: 'no port: must not reach the nodes',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  return { child, out: () => out, err: () => err };
}

/** Opens a connection to each node of the running demo. */
async function connectToNodes(): Promise<Socket[]> {
  const [root] = await readdir(folder);
  const sockets = ['office', 'till-1', 'till-2'].map(async (name) => {
    const file = JSON.parse(await readFile(join(folder, root!, name, 'entgldb.db.node.json'), 'utf8')) as {
      url: string;
    };
    const socket = connect(Number(new URL(file.url).port), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  });
  return Promise.all(sockets);
}

/** Resolves at the first output after the nodes have met, when the demo is in full swing. */
async function inTheMidst({ child, out }: ReturnType<typeof startDemo>): Promise<void> {
  while (!out().includes('\n2. ')) {
    const [event] = await Promise.race([once(child.stdout!, 'data'), once(child, 'close').then(() => ['closed'])]);
    assert.notEqual(event, 'closed', out());
  }
}

test('it ends with three equal nodes, nothing lost and every conflict resolved, and reports what it measured', async () => {
  const demo = startDemo('--json');
  const [code] = await once(demo.child, 'close');
  assert.equal(code, 0, demo.err() + demo.out());
  assert.equal(demo.err(), '');
  const lines = demo.out().trimEnd().split('\n');
  assert.equal(lines.length, 1, 'one JSON object and nothing else');
  const report = JSON.parse(lines[0]!);
  assert.equal(report.isEqual, true);
  assert.equal(report.nodes.length, 3);
  assert.equal(new Set(report.nodes.map((node: object) => JSON.stringify({ ...node, nodeId: '' }))).size, 1);
  const { fill, edit, cutOff, crash } = report;
  assert.equal(fill.documents, 1000);
  assert.ok(fill.syncedPerSecond > 0 && fill.wireBytesPerDocument > 0);
  const { p50, p99, max, samples } = edit.visibleMs;
  assert.equal(samples, edit.edits * 2);
  assert.ok(0 < p50 && p50 <= p99 && p99 <= max, demo.out());
  assert.deepEqual([cutOff.conflicts, cutOff.resolvedAsExpected, cutOff.undeleted], [20, 20, 0]);
  assert.equal(cutOff.losersListed, 10, 'one for each field that both sides changed');
  assert.ok(crash.acknowledged > 0, 'it was killed while it wrote');
  assert.equal(crash.lost, 0);
  const expected = fill.documents - cutOff.deletions + crash.acknowledged + crash.unconfirmed + crash.missed;
  assert.equal(report.nodes[0].documents, expected);
  assert.deepEqual(await readdir(folder), []);
});

test('Ctrl+C halfway leaves no process and no file', async () => {
  const demo = startDemo();
  await inTheMidst(demo);
  const nodes = await connectToNodes();
  const gone = nodes.map((socket) => once(socket, 'close'));
  for (const socket of nodes) socket.on('error', () => {}).resume();
  demo.child.kill('SIGINT');
  assert.deepEqual(await once(demo.child, 'close'), [130, null], demo.err());
  assert.equal(demo.err(), 'entgldb: the demo was stopped; its nodes and files are gone\n');
  await Promise.all(gone);
  assert.deepEqual(await readdir(folder), []);
});

test('its nodes end even if the demo is killed', async () => {
  const demo = startDemo();
  await inTheMidst(demo);
  const nodes = await connectToNodes();
  const gone = nodes.map((socket) => once(socket, 'close'));
  for (const socket of nodes) socket.on('error', () => {}).resume();
  demo.child.kill('SIGKILL');
  await Promise.all(gone);
});

test('a wrong option is refused in one sentence', async () => {
  const demo = startDemo('--places', 'many');
  assert.deepEqual(await once(demo.child, 'close'), [2, null]);
  assert.match(demo.err(), /^entgldb: --places is many; give a number from 1000 on\n$/);
});
