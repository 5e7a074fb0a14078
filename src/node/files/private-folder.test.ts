/**
 * Goal: folders are made for their owner only, and where none can be made there is an error, whoever asks. Method: a real folder, and
 * /proc, which says that a parent is missing although it is there.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../index.ts';
import { makePrivateFolder } from './index.ts';

const reason = process.platform === 'linux' ? undefined : 'only Linux has /proc';
if (reason !== undefined) console.log(`SKIPPED: ${reason}`);

test('missing parents are made too, for their owner only, and what is there stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-folder-'));
  try {
    for (let twice = 0; twice < 2; twice++) await makePrivateFolder(join(folder, 'a', 'b', 'c'));
    for (const path of ['a', join('a', 'b', 'c')])
      assert.equal(statSync(join(folder, path)).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o700);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('where the system makes no folders, folders and databases are refused', { skip: reason ?? false }, async () => {
  await assert.rejects(makePrivateFolder('/proc/entgldb/data'), { code: 'ENOENT' });
  await assert.rejects(openDatabase({ network: false, dataDirectory: '/proc/entgldb' }), {
    reason: 'IO_FAILED',
    message: /check that files can be made there, or choose another path$/,
  });
});
