/**
 * Goal: the command behaves well in a shell: signals, closed pipes, exit codes. Method: real processes of the command, on
 * loopback, with ports that the system picks.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, PATIENCE_MS } from './node-process.ts';

const MAIN = fileURLToPath(new URL('../../src/node/cli/main.ts', import.meta.url));
const START = ['start', '--tcp-port', '0', '--http-port', '0', '--no-discovery', '--json'];
/** On a slow machine, what four commands wait for each other, or a stop, may take longer than the 5 s that each has by default. */
const PATIENT = {
  EntglDb__Persistence__BusyTimeoutMs: String(PATIENCE_MS),
  EntglDb__Health__ShutdownTimeoutMs: String(PATIENCE_MS),
};

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entgldb-main-'));
});
after(() => rm(folder, { recursive: true }));

function entgldb(...args: string[]): ChildProcess {
  return reading('ignore', args);
}

function reading(stdin: number | 'ignore', args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { ...process.env, ...PATIENT },
    stdio: [stdin, 'pipe', 'pipe'],
  });
}

async function run(...args: string[]): Promise<{ code: number; out: string }> {
  const child = entgldb(...args);
  child.stderr?.resume();
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  const [code] = await once(child, 'close');
  return { code, out };
}

async function startNode(data: string): Promise<ChildProcess> {
  const node = entgldb(...START, '--data', data);
  node.stderr?.resume();
  await once(node.stdout!, 'data');
  return node;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} stops a node gracefully, with exit code 0 and nothing left behind`, async () => {
    const node = await startNode(signal);
    assert.equal((await run('put', 'c', 'k', '{"a":1}', '--data', signal)).code, 0);
    node.kill(signal);
    assert.deepEqual(await once(node, 'exit'), [0, null]);
    const left = (await readdir(join(folder, signal))).filter(
      (name) => name.endsWith('.node.json') || name.endsWith('-wal'),
    );
    assert.deepEqual(left, []);
    assert.equal((await run('get', 'c', 'k', '--json', '--data', signal)).out, '{"a":1}\n');
  });
}

test('after kill -9 the next start takes over, and nothing acknowledged is lost', async () => {
  const node = await startNode('killed');
  assert.equal((await run('put', 'c', 'k', '{"a":1}', '--data', 'killed')).code, 0);
  node.kill('SIGKILL');
  await once(node, 'exit');
  assert.equal((await run('get', 'c', 'k', '--json', '--data', 'killed')).out, '{"a":1}\n');
  const next = await startNode('killed');
  assert.equal((await run('count', 'c', '--data', 'killed')).out, '1\n');
  next.kill('SIGTERM');
  assert.deepEqual(await once(next, 'exit'), [0, null]);
});

test('a reader that closes the pipe early causes no error', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) =>
    JSON.stringify({ key: `k${i}`, value: { pad: 'x'.repeat(100) } }),
  );
  await writeFile(join(folder, 'in.ndjson'), lines.join('\n'));
  assert.equal((await run('import', 'c', 'in.ndjson', '--data', 'pipe')).code, 0);
  const child = entgldb('export', 'c', '--data', 'pipe');
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.equal(err, '');
  const left = (await readdir(join(folder, 'pipe'))).filter((name) => /\.pid$|-wal$/.test(name));
  assert.deepEqual(left, [], 'the database was closed');
});

const noFull = existsSync('/dev/full')
  ? undefined
  : 'a full disk behind the output is /dev/full, which this system lacks';
if (noFull !== undefined) console.log(`SKIPPED: ${noFull}`);
test('an output on a full disk gets one line of error, and ends no node', { skip: noFull ?? false }, async () => {
  const full = openSync('/dev/full', 'w');
  const onFull = (args: string[], stderr: 'pipe' | number): ChildProcess =>
    spawn(process.execPath, [MAIN, ...args, '--data', 'full'], { cwd: folder, stdio: ['ignore', full, stderr] });
  const put = onFull(['put', 'c', 'k', '{"a":1}'], 'pipe');
  let err = '';
  put.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  assert.deepEqual(await once(put, 'close'), [3, null]);
  assert.match(err, /^entgldb: the command is done, but its answer was not written: .*: the disk is full; .*\n$/);
  const node = onFull(START, full);
  const exited = once(node, 'exit');
  await eventually('it answers', async () => (await run('health', '--data', 'full')).code === 0);
  assert.equal((await run('count', 'c', '--data', 'full')).out, '1\n');
  node.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  closeSync(full);
});

test('commands that run at the same time wait for each other', async () => {
  const keys = ['a', 'b', 'c', 'd'];
  const results = await Promise.all(keys.map((key) => run('put', 'c', key, '{}', '--data', 'together')));
  assert.deepEqual(
    results.map(({ code }) => code),
    keys.map(() => 0),
  );
  assert.equal((await run('count', 'c', '--data', 'together')).out, '4\n');
});

test('a node keeps running when nobody reads its output', async () => {
  const node = entgldb('start', '--data', 'unread', '--no-discovery', '--tcp-port', '0', '--http-port', '0');
  node.stdout!.destroy();
  node.stderr!.destroy();
  const exited = once(node, 'exit');
  assert.equal((await run('put', 'c', 'k', '{"a":1}', '--data', 'unread')).code, 0);
  await eventually('it answers', async () => (await run('health', '--data', 'unread')).code === 0);
  node.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

const noFolders = process.platform === 'win32' && 'a folder cannot be opened as a file there';
test('a folder as the standard input is refused, and stores nothing', { skip: noFolders }, async () => {
  const input = openSync(folder, 'r');
  for (const args of [
    ['import', 'c', '-'],
    ['blob', 'put', '-'],
    ['put', 'c', 'k', '-'],
  ]) {
    const child = reading(input, [...args, '--data', 'from-folder']);
    let err = '';
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    assert.deepEqual(await once(child, 'close'), [2, null], err);
    assert.match(err, /^entgldb: cannot read the standard input: it is a folder or a disk; [^\n]+\n$/);
  }
  closeSync(input);
  assert.equal(
    (await run('import', 'c', '-', '--data', 'from-folder')).out.split(' (')[0],
    'Imported 0 documents into c',
  );
});

test('exit codes reach the shell', async () => {
  assert.equal((await run('pot')).code, 2);
  assert.equal((await run('peers', '--data', 'nowhere')).code, 3);
  assert.equal((await run('--version')).out.trim().split('.').length, 3);
});
