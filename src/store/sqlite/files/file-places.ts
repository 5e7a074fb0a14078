import { type BigIntStats, existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PersistenceError } from '../../../core/errors/index.ts';

/** What SQLite makes beside the main file. */
const LOG_SUFFIXES = ['-wal', '-shm'];

/**
 * Where the files of an open database lie. One that was removed or replaced meanwhile can be read and written all the same, and
 * all of it is gone when it is closed; what opens its path finds another one.
 */
export class FilePlaces {
  readonly #main: FilePlace;
  #logs: readonly FilePlace[] = [];

  /** The main file is open. */
  constructor(path: string) {
    this.#main = new FilePlace(path);
  }

  /** A connection has opened the logs, or made them. */
  noteLogs(): void {
    const paths = LOG_SUFFIXES.map((suffix) => this.#main.path + suffix);
    this.#logs = paths.filter((path) => existsSync(path)).map((path) => new FilePlace(path));
  }

  isMainHeld(): Promise<boolean> {
    return this.#main.isHeld();
  }

  async areAllHeld(): Promise<boolean> {
    const held = await Promise.all([this.#main, ...this.#logs].map((place) => place.isHeld()));
    return held.every(Boolean);
  }

  /** Throws IO_FAILED where the path leads nowhere, or to another file: before it is opened once more. */
  assertMainHeld(): void {
    const { path } = this.#main;
    if (this.#main.isSame(statSync(path, { bigint: true, throwIfNoEntry: false }))) return;
    throw new PersistenceError('IO_FAILED', `${path} was removed or replaced while it was open`, { details: { path } });
  }
}

/** Where one file lay when it was opened. */
export class FilePlace {
  readonly path: string;
  readonly #opened: BigIntStats;

  constructor(path: string) {
    this.path = path;
    this.#opened = statSync(path, { bigint: true });
  }

  /** False: nothing lies there, or another file. A place that nobody may look at just now is taken for sound. */
  async isHeld(): Promise<boolean> {
    try {
      return this.isSame(await stat(this.path, { bigint: true }));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code !== 'ENOENT' && code !== 'ENOTDIR';
    }
  }

  isSame(now: BigIntStats | undefined): boolean {
    return now?.dev === this.#opened.dev && now.ino === this.#opened.ino;
  }
}
