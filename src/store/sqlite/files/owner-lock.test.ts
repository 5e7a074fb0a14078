/**
 * Goal: there is one owner at a time, whatever people do to the lock file. Method: real files; the second owner is in the
 * same process, which SQLite keeps out as it does others.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock } from '../../../testing/index.ts';
import { openInFolder, withFolder } from '../test-folder.ts';
import { awaitOwner } from './owner-lock.ts';

test('rubbish in the lock file does not keep an owner out, and the owner keeps others out', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    await store.close();
    writeFileSync(join(folder, 'test.db.lock'), 'rubbish');
    const again = await openInFolder(folder);
    await assert.rejects(openInFolder(folder), {
      reason: 'DATABASE_LOCKED',
      message: /^this process has the database .* open already; use that one, or close it first$/,
    });
    await again.close();
  }));

test('an owner whose lock file was removed takes the lock again, or reports that another owner has it', () =>
  withFolder(async (folder) => {
    const lockPath = join(folder, 'test.db.lock');
    const store = await openInFolder(folder);
    rmSync(lockPath);
    assert.equal(await store.keepInPlace(), true);
    await assert.rejects(openInFolder(folder), { reason: 'DATABASE_LOCKED' });
    rmSync(lockPath);
    const other = await openInFolder(folder);
    assert.equal(await store.keepInPlace(), false);
    await other.close();
    await store.close();
  }));

test('an opener that finds traces of an owner but no lock waits for the owner to take it again', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const clock = createManualClock();
    await awaitOwner(path, clock, 1000);
    const store = await openInFolder(folder);
    await awaitOwner(path, clock, 1000);
    rmSync(`${path}.lock`);
    let isOver = false;
    const waiting = awaitOwner(path, clock, 1000).then(() => {
      isOver = true;
    });
    await clock.advance(999);
    assert.equal(isOver, false);
    await clock.advance(1);
    await waiting;
    await store.close();
  }));
