/**
 * Goal: a log that was written again is whole, or its rewriting says that it is not. Method: a process whose files may not grow beyond
 * a size in the middle of the log. Up to there, the system takes a part of the bytes without an error, as a nearly full disk does.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const LOG_BYTES = 200_000;
/** Blocks of 512 or 1,024 bytes, by shell. */
const LIMIT_BLOCKS = 128;
const REWRITE = `
  import { WalFile } from ${JSON.stringify(new URL('wal-file.ts', import.meta.url).href)};
  const log = new WalFile(process.argv[1], (file) => file.datasync(), () => {});
  process.stdout.write(await log.rewrite().then(() => 'whole', ({ code }) => code));
`;

test('a log that was written again in part is not called durable', () => {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-wal-'));
  try {
    const path = join(folder, 'test.db');
    writeFileSync(`${path}-wal`, Buffer.alloc(LOG_BYTES, 1));
    const program = ['--input-type=module', '-e', REWRITE, path];
    const run = (limit: string): string =>
      execFileSync('sh', ['-c', `ulimit -f ${limit} && exec "$0" "$@"`, process.execPath, ...program], {
        encoding: 'utf8',
      });
    assert.equal(run(String(LIMIT_BLOCKS)), 'EFBIG');
    assert.equal(run('unlimited'), 'whole');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
