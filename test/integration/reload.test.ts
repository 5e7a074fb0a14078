/**
 * Goal: SIGHUP takes over what may change in a running node, says what waits for a restart, and a bad file changes nothing.
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

const MAIN = fileURLToPath(new URL('../../src/node/cli/main.ts', import.meta.url));
const START = ['start', '--tcp-port', '0', '--http-port', '0', '--no-discovery', '--config', 'appsettings.json'];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entgldb-reload-'));
});
after(() => rm(folder, { recursive: true }));

function settings(level: string, cacheSizeMb: number): Promise<void> {
  const section = { Persistence: { CacheSizeMb: cacheSizeMb, DatabasePath: 'till/entgldb.db' } };
  const text = JSON.stringify({ EntglDb: section, Logging: { LogLevel: { Default: level } } });
  return writeFile(join(folder, 'appsettings.json'), text);
}

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly changed?: readonly string[];
  readonly needRestart?: readonly string[];
}

/** Sends SIGHUP and returns the line that answers it. */
async function hangUp(node: ChildProcess, log: AsyncIterator<string>): Promise<Line> {
  node.kill('SIGHUP');
  for (;;) {
    const { value, done } = await log.next();
    assert.notEqual(done, true, 'the log ended before an answer came');
    const line = JSON.parse(value) as Line;
    if (line.msg.includes('read again')) return line;
  }
}

test('SIGHUP applies levels, names what needs a restart, and keeps everything when the file is bad', async () => {
  await settings('Information', 10);
  const node = spawn(process.execPath, [MAIN, ...START], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const log = createInterface({ input: node.stderr })[Symbol.asyncIterator]();
    await once(node.stdout, 'data');

    await settings('Debug', 20);
    const first = await hangUp(node, log);
    assert.equal(first.level, 'Information');
    assert.deepEqual(first.changed, ['Persistence.CacheSizeMb', 'Logging.LogLevel']);
    assert.deepEqual(first.needRestart, ['Persistence.CacheSizeMb']);

    await writeFile(join(folder, 'appsettings.json'), '{ "EntglDb": ');
    assert.equal((await hangUp(node, log)).level, 'Error');
    await rm(join(folder, 'appsettings.json'));
    assert.equal((await hangUp(node, log)).level, 'Error');

    // The level of the first change still counts, and what needs a restart is still compared with what runs.
    await settings('Debug', 10);
    assert.deepEqual((await hangUp(node, log)).changed, []);
    await settings('Error', 10);
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
