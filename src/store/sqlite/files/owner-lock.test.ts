/**
 * Goal: there is one owner at a time, whatever people do to the lock file. Method: real files; the second owner is in the
 * same process, which SQLite keeps out as it does others, unless the lock of the process itself is what is tested.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createManualClock } from '../../../testing/index.ts';
import { openInFolder, withFolder } from '../test-folder.ts';
import { awaitOwner } from './owner-lock.ts';

const KEPT_MS = 1000;
const RUNNING = 12;
const OPENER = { keptMs: KEPT_MS, pid: 11, isRunning: (pid: number): boolean => pid === RUNNING };
/** A program that takes a lock as an owner does, says whether it has it, and holds it until its input ends. */
const TAKE_LOCK = `
  const { DatabaseSync } = require('node:sqlite');
  const lock = new DatabaseSync(process.argv[1], { timeout: 0 });
  let said = 'taken';
  try { lock.exec('BEGIN EXCLUSIVE'); } catch { said = 'refused'; }
  process.stdout.write(said);
  process.stdin.resume();
`;

/** Another process that tries to take the lock. */
async function lockElsewhere(lockPath: string) {
  const child = spawn(process.execPath, ['-e', TAKE_LOCK, lockPath], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout, 'data');
  const end = async (): Promise<void> => {
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
  };
  return { said: String(said), end };
}

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
    const other = await openInFolder(folder, { pid: OPENER.pid });
    assert.equal(await store.keepInPlace(), false);
    await other.close();
    await store.close();
  }));

test('an owner whose program has read the lock file, which drops the lock, takes it again, or reports that another had it', () =>
  withFolder(async (folder) => {
    const lockPath = join(folder, 'test.db.lock');
    const store = await openInFolder(folder);
    for (let round = 1; round <= 2; round++) {
      readFileSync(lockPath);
      assert.equal(await store.keepInPlace(), true);
      const other = await lockElsewhere(lockPath);
      assert.equal(other.said, 'refused', `round ${round}`);
      await other.end();
    }
    readFileSync(lockPath);
    const other = await lockElsewhere(lockPath);
    assert.equal(other.said, 'taken');
    assert.equal(await store.keepInPlace(), true, 'an opener may give it back');
    assert.equal(await store.keepInPlace(), false);
    await other.end();
    assert.equal(await store.keepInPlace(), false, 'the other owner may have written');
    await store.close();
  }));

test('an opener waits for an owner that runs and does not hold its lock, until the owner has taken it again', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    await store.close();
    const clock = createManualClock();
    const opener = (pid: number): Promise<number | undefined> => {
      writeFileSync(`${path}.pid`, `${pid}\n`);
      return awaitOwner(path, { clock, ...OPENER });
    };
    const owner = await lockElsewhere(`${path}.lock`);
    await opener(RUNNING);
    await owner.end();
    await opener(RUNNING + 1);
    await opener(OPENER.pid);
    const waiting = opener(RUNNING);
    assert.notEqual(clock.nextTimerAt(), undefined);
    const again = await lockElsewhere(`${path}.lock`);
    clock.advance(KEPT_MS);
    assert.equal(await waiting, undefined);
    await again.end();
  }));

test('an opener that finds that the lock of a running process was dropped gives it back, unless it has waited for that process', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    await store.close();
    writeFileSync(`${path}.pid`, `${RUNNING}\n`);
    await assert.rejects(openInFolder(folder, { pid: OPENER.pid, mayBeOwner: OPENER.isRunning }), {
      reason: 'DATABASE_LOCKED',
    });
    const other = await lockElsewhere(`${path}.lock`);
    assert.equal(other.said, 'taken');
    await other.end();
    const clock = createManualClock();
    let gone: number | undefined;
    const waiting = awaitOwner(path, { clock, ...OPENER }).then((pid) => {
      gone = pid;
    });
    while (gone === undefined) {
      await setImmediate();
      clock.advance(KEPT_MS);
    }
    await waiting;
    assert.equal(gone, RUNNING);
    await (await openInFolder(folder, { pid: OPENER.pid, mayBeOwner: (pid) => pid !== gone })).close();
  }));

test('an opener that finds traces of an owner but no lock waits for the owner to take it again, not counting a standstill', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const clock = createManualClock();
    await awaitOwner(path, { clock, ...OPENER });
    const store = await openInFolder(folder);
    await awaitOwner(path, { clock, ...OPENER });
    rmSync(`${path}.lock`);
    let isOver = false;
    const waiting = awaitOwner(path, { clock, ...OPENER }).then(() => {
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
