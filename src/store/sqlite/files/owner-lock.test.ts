/**
 * Goal: there is one owner at a time, whatever people do to the lock file. Method: real files; the second owner is in the
 * same process, which SQLite keeps out as it does others.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createManualClock } from '../../../testing/index.ts';
import { openInFolder, withFolder } from '../test-folder.ts';
import { awaitOwner } from './owner-lock.ts';

const KEPT_MS = 1000;

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

test('an opener that finds traces of an owner but no lock waits for the owner to take it again, not counting a standstill', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const clock = createManualClock();
    await awaitOwner(path, clock, KEPT_MS);
    const store = await openInFolder(folder);
    await awaitOwner(path, clock, KEPT_MS);
    rmSync(`${path}.lock`);
    let isOver = false;
    const waiting = awaitOwner(path, clock, KEPT_MS).then(() => {
      isOver = true;
    });
    const standstillMs = 10 * KEPT_MS;
    clock.advance(standstillMs);
    while (!isOver) {
      await setImmediate();
      clock.advance(1);
    }
    await waiting;
    const waitedMs = clock.monotonic() - standstillMs;
    assert.ok(waitedMs >= 0.9 * KEPT_MS && waitedMs <= KEPT_MS + 1, `${waitedMs} ms`);
    await store.close();
  }));
