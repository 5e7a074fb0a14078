/**
 * Goal: what cannot be written to the standard output is an error that says so, or the silent end of a command that nobody reads any
 * more. Method: streams that refuse.
 */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createOutput, OutputClosed } from './output.ts';

/** An output on a stream that refuses with this code. */
function refusing(code: string) {
  const error = Object.assign(new Error(code), { code });
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(error) });
  stdout.on('error', () => {});
  return createOutput({ stdout, stderr: process.stderr }, false);
}

test('a full disk is an error, and after the work is done it says that it is', async () => {
  const full = 'the standard output: the disk is full; free some space and try again';
  await assert.rejects(refusing('ENOSPC').raw('x'), { reason: 'DISK_FULL', message: full });
  await assert.rejects(refusing('ENOSPC').answer({}, 'x'), {
    reason: 'DISK_FULL',
    message: `the command is done, but its answer was not written: ${full}`,
  });
  await assert.rejects(refusing('EIO').raw('x'), { reason: 'IO_FAILED' });
});

test('a closed pipe ends a command silently', async () => {
  for (const code of ['EPIPE', 'ECONNRESET']) {
    await assert.rejects(refusing(code).raw('x'), OutputClosed);
    await assert.rejects(refusing(code).answer({}, 'x'), OutputClosed);
  }
});
