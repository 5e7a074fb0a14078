import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, sleep } from '../../../core/clock/index.ts';
import { isEntglDbError, PersistenceError } from '../../../core/errors/index.ts';
import { BUSY, guarded, NOTADB, toStoreError } from '../sqlite-errors.ts';
import { FilePlace } from './file-places.ts';
import { errorCode, LockFile } from './lock-file.ts';

/** Steps of the waiting for an owner. */
const AWAIT_STEPS = 30;

export interface OwnerLock {
  /**
   * Takes the lock again if somebody removed its file, or if the system dropped it. False, from then on: another process has taken it
   * meanwhile.
   */
  keep(): Promise<boolean>;
  release(): void;
}

/**
 * Makes this process the only owner of the database. The lock is an open exclusive transaction on a tiny database beside
 * it, which the operating system ends with the process, however it ends. Throws DATABASE_LOCKED with details `path` and
 * `pid`, also if the process that left its id may be an owner whose lock was dropped (`mayBeOwner`).
 *
 * The lock file is accessed only through SQLite: on POSIX, closing any other handle of it would drop the lock. A program that
 * copies its own data folder does just that. Therefore the lock is set anew whenever it is looked after.
 */
export function takeOwnerLock(
  path: string,
  pid: number,
  mayBeOwner: (pid: number) => boolean = () => false,
): OwnerLock {
  const lockPath = `${path}.lock`;
  const pidPath = `${path}.pid`;
  let lock = takeLock(path, pid);
  let place = new FilePlace(lockPath);
  let [isLost, isReleased, isTaken] = [false, false, false];
  try {
    const former = readPid(pidPath);
    if (former !== undefined && former !== pid && mayBeOwner(former)) throw lockedError(path, pidPath, pid);
    writePid(pidPath, pid);
  } catch (error) {
    lock.close();
    throw toStoreError(error, pidPath);
  }
  return {
    keep: async () => {
      const isInPlace = await place.isHeld();
      if (isLost || isReleased) return isReleased;
      if (isInPlace && lock.renew()) return true;
      // Within one process, SQLite would keep the new lock out because of the former one.
      lock.close();
      try {
        lock = takeLock(path, pid);
      } catch (error) {
        // If the disk refuses, the next call tries again. An opener that has left no id finds this one, and gives the lock back.
        const wasTaken = isTaken;
        isTaken = isEntglDbError(error, 'DATABASE_LOCKED');
        isLost = isTaken && (wasTaken || readPid(pidPath) !== pid);
        return !isLost;
      }
      isTaken = false;
      place = new FilePlace(lockPath);
      writePid(pidPath, pid);
      return true;
    },
    release: () => {
      isReleased = true;
      try {
        // In a folder that took the place of this one's, it is the number of another owner.
        if (place.isHeldNow) rmSync(pidPath, { force: true });
      } catch {
        // A pid that stays does no harm: the lock decides whether there is an owner.
      }
      lock.close();
    },
  };
}

export interface AwaitOwnerOptions {
  readonly clock: Clock;
  /** Time within which an owner takes its lock again. */
  readonly keptMs: number;
  /** Id of this process. */
  readonly pid: number;
  /** Whether there is a process with this id. */
  readonly isRunning: (pid: number) => boolean;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits `keptMs` if there are traces of an owner but no lock: if somebody removed its file, or the system dropped it, its owner takes
 * it again within this time (`keep`). Otherwise there could be two owners that overwrite each other's data. Resolves with the id of the
 * process that it waited for in vain: that one is no owner.
 *
 * It waits in steps: a machine that stands still in between holds up the owner too, and costs one step.
 */
export async function awaitOwner(path: string, options: AwaitOwnerOptions): Promise<number | undefined> {
  const { clock, keptMs, signal } = options;
  for (let step = 0; step < AWAIT_STEPS; step++) {
    if (!mayHaveOwner(path, options)) return undefined;
    await sleep(clock, keptMs / AWAIT_STEPS, signal);
  }
  return readPid(`${path}.pid`);
}

/** Whether there are traces of an owner, but no lock. */
function mayHaveOwner(path: string, { pid: own, isRunning }: AwaitOwnerOptions): boolean {
  if (!existsSync(`${path}.lock`)) return [`${path}.pid`, `${path}-shm`].some((trace) => existsSync(trace));
  const pid = readPid(`${path}.pid`);
  return pid !== undefined && pid !== own && isRunning(pid) && ownerOf(path) === undefined;
}

function takeLock(path: string, own: number): LockFile {
  const lockPath = `${path}.lock`;
  try {
    return new LockFile(lockPath);
  } catch (error) {
    if (errorCode(error) === BUSY) throw lockedError(path, `${path}.pid`, own);
    if (errorCode(error) !== NOTADB) throw toStoreError(error, lockPath);
    // The file is rubbish and has no owner, or it would have been busy. It must not keep anybody out.
    return guarded(lockPath, () => {
      truncateSync(lockPath);
      return new LockFile(lockPath);
    });
  }
}

/**
 * The id of the process that has the database open; undefined: none. Tests the lock only if a process has left its id, so as
 * not to disturb one that is just taking it.
 */
export function ownerOf(path: string): number | undefined {
  const pid = readPid(`${path}.pid`);
  if (pid === undefined) return undefined;
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(`${path}.lock`, { timeout: 0, readOnly: true });
    lock.exec('SELECT 1 FROM sqlite_schema');
    return undefined;
  } catch (error) {
    return errorCode(error) === BUSY ? pid : undefined;
  } finally {
    lock?.close();
  }
}

/** The id only helps to word an error, so a full disk must not keep the owner from opening. */
function writePid(pidPath: string, pid: number): void {
  try {
    writeFileSync(pidPath, `${pid}\n`, { mode: 0o600 });
  } catch (error) {
    if (!isEntglDbError(toStoreError(error, pidPath), 'DISK_FULL')) throw error;
  }
}

function lockedError(path: string, pidPath: string, own: number): PersistenceError {
  const pid = readPid(pidPath);
  const owner = pid === undefined ? 'another process' : `process ${pid}`;
  const message =
    pid === own
      ? `this process has the database ${path} open already; use that one, or close it first`
      : `${owner} has the database ${path} open; stop it or use it`;
  return new PersistenceError('DATABASE_LOCKED', message, { details: { path, pid } });
}

/** Undefined while the owner has taken the lock but not yet written its id. */
function readPid(pidPath: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidPath, 'utf8'), 10);
    return Number.isSafeInteger(pid) ? pid : undefined;
  } catch {
    // The id only helps to word the error.
    return undefined;
  }
}
