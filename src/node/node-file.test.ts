/**
 * Goal: commands find the running node as long as it runs. Method: the file is removed, moved and replaced in a real folder, on a
 * manual clock.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TIMES } from '../core/config/index.ts';
import { silentLogger } from '../core/logging/index.ts';
import { createManualClock } from '../testing/index.ts';
import { keepNodeFile, nodeFilePath, readNodeFile } from './node-file.ts';

const file = { pid: 1, nodeId: 'till', url: 'http://127.0.0.1:1', secret: 'of this start' };

test('a removed node file is written again while the database is in its place, and is removed when its node stops', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-node-file-'));
  const path = join(folder, 'entgldb.db');
  const clock = createManualClock();
  /** Waits until the keeper has looked once more and sleeps again. */
  const look = async (): Promise<void> => {
    clock.advance(TIMES.fileWatchMs);
    while (clock.nextTimerAt() === undefined) await new Promise(setImmediate);
  };
  try {
    writeFileSync(path, '');
    writeFileSync(`${nodeFilePath(path)}.tmp`, 'what a killed process left');
    const remove = await keepNodeFile(path, file, { clock, logger: silentLogger });
    assert.deepEqual(await readNodeFile(path), file);
    assert.equal(existsSync(`${nodeFilePath(path)}.tmp`), false);
    rmSync(nodeFilePath(path));
    await look();
    assert.deepEqual(await readNodeFile(path), file);

    rmSync(nodeFilePath(path));
    renameSync(path, `${path}.away`);
    await look();
    assert.equal(existsSync(nodeFilePath(path)), false);
    renameSync(`${path}.away`, path);
    const other = { ...file, secret: 'of another start' };
    writeFileSync(nodeFilePath(path), JSON.stringify(other));
    await look();
    await remove();
    assert.deepEqual(await readNodeFile(path), other);
    assert.equal(clock.nextTimerAt(), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
