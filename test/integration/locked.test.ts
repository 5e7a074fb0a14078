/**
 * Goal: a write that waits for another program's lock keeps its program alive until it is done. Method: a program with
 * nothing else to wait for writes while this process holds the lock of its file.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HUNG_MS, makeFolder, pause } from './node-process.ts';

const PROGRAM = fileURLToPath(new URL('locked-user.ts', import.meta.url));
const LOCKED_MS = 700;

test('a program does not end while its write waits for a lock', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  const child = spawn(process.execPath, [PROGRAM, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  const closed = once(child, 'close');
  await once(lines, 'line');
  const other = new DatabaseSync(join(folder, 'entgldb.db'), { timeout: 20_000 });
  other.exec('BEGIN IMMEDIATE');
  child.stdin.end();
  await pause(LOCKED_MS);
  assert.deepEqual([said, child.exitCode], [['ready'], null]);
  other.exec('ROLLBACK');
  other.close();
  const [code] = await closed;
  assert.deepEqual([code, said], [0, ['ready', 'written']]);
});
