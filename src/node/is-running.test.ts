/** Goal: a process is told from one that has ended. Method: a process of this test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { isRunning } from './is-running.ts';

test('a process runs until it has ended', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] });
  await once(child, 'spawn');
  assert.equal(isRunning(child.pid!), true);
  child.stdin.end();
  await once(child, 'close');
  assert.equal(isRunning(child.pid!), false);
});
