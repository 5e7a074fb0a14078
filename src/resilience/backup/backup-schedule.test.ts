/**
 * Goal: automatic backups are made on time, whatever happens to the machine and its clock. Method: the schedule on a manual clock, with
 * a database that only writes a file.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupFiles } from '../../node/files/index.ts';
import { withFolder } from '../../store/sqlite/test-folder.ts';
import { createManualClock } from '../../testing/index.ts';
import { BackupSchedule, BackupService } from './index.ts';

/** 2026-01-15T10:30:00Z */
const START_MS = 1_768_473_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

/** Every backup is of this database. */
const OWN = { replica: 'own', pos: 1, former: new Map<string, number>(), node: 'a' };

function setUp(base: string, failures = 0) {
  const clock = createManualClock({ startMs: START_MS });
  let tried = 0;
  let held: Promise<void> = Promise.resolve();
  const database = {
    flush: () => held,
    backup: async (path: string) => {
      if (++tried <= failures) throw new Error('no room');
      writeFileSync(path, 'a backup');
    },
  };
  /** Backups that begin from now on wait until the returned function is called. */
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  const begin = (isStarted = true): { backups: BackupService; schedule: BackupSchedule } => {
    const backups = new BackupService({
      ...{ folder: join(base, 'backups'), base, databasePath: 'x', database, files: backupFiles, clock },
      verify: async () => [],
      stateIn: async () => OWN,
      own: () => ({ ...OWN, isOpen: true }),
    });
    const schedule = new BackupSchedule({ backups, clock, intervalMs: HOUR });
    if (isStarted) schedule.start();
    return { backups, schedule };
  };
  /** Resolves when the schedule waits; its work is real I/O. Returns how long it waits. */
  const untilWaiting = async (): Promise<number> => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const at = clock.nextTimerAt();
      if (at !== undefined) return at - clock.monotonic();
    }
  };
  /** Lets time pass until the next backup is tried; returns how much, in minutes. */
  const untilTried = async (): Promise<number> => {
    const [before, beganAt] = [tried, clock.monotonic()];
    for (let wait = await untilWaiting(); tried === before; wait = await untilWaiting()) clock.advance(wait);
    return (clock.monotonic() - beganAt) / MINUTE;
  };
  return { clock, begin, hold, untilWaiting, untilTried, tried: () => tried };
}

test('the schedule makes a first backup immediately, then one at each interval, and continues after a restart', () =>
  withFolder(async (base) => {
    const { clock, begin, untilTried } = setUp(base);
    const { schedule } = begin();
    assert.equal(await untilTried(), 0);
    assert.equal(await untilTried(), 60);
    clock.advance(HOUR / 2);
    await schedule.stop();
    const again = begin();
    assert.equal(await untilTried(), 30);
    await again.schedule.stop();
    assert.equal(clock.nextTimerAt(), undefined);
  }));

test('a failed automatic backup is retried with growing pauses, and then the interval applies again', () =>
  withFolder(async (base) => {
    const { begin, untilTried } = setUp(base, 8);
    const { backups, schedule } = begin();
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) pauses.push(await untilTried());
    assert.equal(backups.lastError, 'no room');
    pauses.push(await untilTried(), await untilTried());
    assert.deepEqual(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert.equal(backups.lastError, null);
    await schedule.stop();
  }));

test('a backup that fell due while the machine slept is made within a minute', () =>
  withFolder(async (base) => {
    const { clock, begin, untilTried } = setUp(base);
    const { schedule } = begin();
    await untilTried();
    clock.advance(20 * MINUTE);
    // Timers stand still in a sleep; only the wall clock goes on.
    clock.setWall(clock.now() + 10 * HOUR);
    assert.ok((await untilTried()) <= 1);
    assert.equal(await untilTried(), 60, 'one was due, not ten');
    await schedule.stop();
  }));

test('a clock that is set back does not put the next backup off', () =>
  withFolder(async (base) => {
    const { clock, begin, untilTried } = setUp(base);
    const { schedule } = begin();
    await untilTried();
    clock.advance(20 * MINUTE);
    clock.setWall(START_MS - YEAR);
    assert.equal(await untilTried(), 40);
    assert.equal(await untilTried(), 60);
    await schedule.stop();
  }));

test('a clock that is years ahead for a while costs one backup too many', () =>
  withFolder(async (base) => {
    const { clock, begin, untilTried } = setUp(base);
    const { schedule } = begin();
    await untilTried();
    clock.setWall(clock.now() + 10 * YEAR);
    assert.ok((await untilTried()) <= 1);
    clock.setWall(clock.now() - 10 * YEAR);
    assert.equal(await untilTried(), 60);
    for (let i = 0; i < 10; i++) {
      clock.setWall(clock.now() + (i % 2 === 0 ? 10 : -10) * YEAR);
      assert.ok((await untilTried()) <= 60);
    }
    await schedule.stop();
  }));

test('a changed interval counts from the last backup', () =>
  withFolder(async (base) => {
    const { clock, begin, untilTried, untilWaiting } = setUp(base);
    const { schedule } = begin();
    await untilTried();
    clock.advance(20 * MINUTE);
    await untilWaiting();
    schedule.changeInterval(30 * MINUTE);
    assert.equal(await untilTried(), 10);
    schedule.changeInterval(2 * HOUR);
    assert.equal(await untilTried(), 120);
    await schedule.stop();
  }));

test('a schedule that waits for a backup made by hand can be stopped, and the backup goes on', () =>
  withFolder(async (base) => {
    const { begin, untilWaiting, clock, hold } = setUp(base);
    const early = begin(false);
    const release = hold();
    const byHand = early.backups.backup('early.db');
    early.schedule.start();
    await early.schedule.stop();
    release();
    await byHand;

    const { backups, schedule } = begin();
    await untilWaiting();
    const releaseNext = hold();
    const next = backups.backup('next.db');
    clock.advance(HOUR);
    await schedule.stop();
    releaseNext();
    assert.equal(await next, join(base, 'backups', 'next.db'));
  }));
