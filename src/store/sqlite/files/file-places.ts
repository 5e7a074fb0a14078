import { type BigIntStats, existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PersistenceError } from '../../../core/errors/index.ts';

/** Files that SQLite makes beside the main file. */
const LOG_SUFFIXES = ['-wal', '-shm'];

/**
 * Remembers where the files of an open database lay. A file that was removed or replaced can still be read and written, but
 * everything is lost when it is closed, and opening its path finds nothing or another file.
 */
export class FilePlaces {
  readonly #main: FilePlace;
  #logs: readonly FilePlace[] = [];

  /**
   * To be called when the main file is open. `growsOnly`: SQLite does not make it smaller, unless it is compacted; so a smaller one was
   * written over, as by a copy of an old backup.
   */
  constructor(path: string, growsOnly: boolean) {
    this.#main = new FilePlace(path, growsOnly);
  }

  /** To be called before the main file is compacted. */
  mayShrink(): void {
    this.#main.growsOnly = false;
  }

  /** To be called when a connection has opened or made the logs. */
  noteLogs(): void {
    const paths = LOG_SUFFIXES.map((suffix) => this.#main.path + suffix);
    this.#logs = paths.filter((path) => existsSync(path)).map((path) => new FilePlace(path));
  }

  isMainHeld(): Promise<boolean> {
    return this.#main.isHeld();
  }

  /** The same at this very moment. */
  get isMainHeldNow(): boolean {
    return this.#main.isHeldNow;
  }

  async areAllHeld(): Promise<boolean> {
    const held = await Promise.all([this.#main, ...this.#logs].map((place) => place.isHeld()));
    return held.every(Boolean);
  }

  /** Throws IO_FAILED if the path leads nowhere or to another file. To be called before the path is opened again. */
  assertMainHeld(): void {
    const { path } = this.#main;
    if (this.#main.isSame(statSync(path, { bigint: true, throwIfNoEntry: false }))) return;
    throw new PersistenceError('IO_FAILED', `${path} was removed or replaced while it was open`, { details: { path } });
  }
}

/** The place of one file when it was opened. */
export class FilePlace {
  readonly path: string;
  growsOnly: boolean;
  readonly #opened: BigIntStats;
  #bytesMin: bigint;

  constructor(path: string, growsOnly = false) {
    this.path = path;
    this.growsOnly = growsOnly;
    this.#opened = statSync(path, { bigint: true });
    this.#bytesMin = this.#opened.size;
  }

  /** Whether the file still lies there; false: nothing, or another file. If that cannot be found out now, it counts as true. */
  async isHeld(): Promise<boolean> {
    try {
      return this.isSame(await stat(this.path, { bigint: true }));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code !== 'ENOENT' && code !== 'ENOTDIR';
    }
  }

  /** The same at this very moment. */
  get isHeldNow(): boolean {
    try {
      return this.isSame(statSync(this.path, { bigint: true, throwIfNoEntry: false }));
    } catch {
      return true;
    }
  }

  isSame(now: BigIntStats | undefined): boolean {
    if (now?.dev !== this.#opened.dev || now.ino !== this.#opened.ino) return false;
    if (this.growsOnly && now.size < this.#bytesMin) return false;
    this.#bytesMin = now.size;
    return true;
  }
}
