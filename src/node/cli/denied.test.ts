/**
 * Goal: somebody who may not look into the folder of a node is told that, and not that no node is running or that there is no
 * database. Method: a folder of its owner alone, and commands run as another user: root takes another identity for that.
 */
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestShell } from './test-shell.ts';

const NOBODY = 65_534;
const { cli, folder } = createTestShell();
const skip = process.platform === 'win32' && 'Windows has no modes of files';

/** Takes the folder away from the user of this process, until it is disposed of. */
async function lockOut(path: string): Promise<AsyncDisposable> {
  const isRoot = process.geteuid?.() === 0;
  await chmod(path, isRoot ? 0o700 : 0);
  if (isRoot) process.seteuid!(NOBODY);
  return {
    [Symbol.asyncDispose]: async () => {
      if (isRoot) process.seteuid!(0);
      await chmod(path, 0o700);
    },
  };
}

test('commands of another user name the file that he may not read', { skip }, async () => {
  await cli('put', 'users', 'user1', '{"name":"Alice"}');
  await chmod(folder(), 0o755);
  await using _ = await lockOut(join(folder(), 'data'));
  for (const args of [['status'], ['health'], ['get', 'users', 'user1'], ['put', 'users', 'user1', '{}'], ['check']]) {
    const { code, err } = await cli(...args);
    assert.match(
      err,
      /^entgldb: this user may not read .*node\.json.*; run the command as the user that the node runs as/,
    );
    assert.equal(code, 3, args[0]);
  }
  const { code, out } = await cli('doctor');
  assert.match(out, /^FAILED {2}node: this user may not read /m);
  assert.equal(code, 1);
});
