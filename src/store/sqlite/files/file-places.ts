import { type BigIntStats, existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { PersistenceError } from '../../../core/errors/index.ts';
import type { MainMark } from './main-mark.ts';

/** Files that SQLite makes beside the main file. */
const SQLITE_LOGS = ['-wal', '-shm'];

/**
 * Remembers where the files of an open database lay. A file that was removed or replaced can still be read and written, but
 * everything is lost when it is closed, and opening its path finds nothing or another file. A main file that was written over is not
 * touched any more: what is there now belongs to somebody else.
 */
export class FilePlaces {
  readonly #main: FilePlace;
  readonly #mark: MainMark;
  #logs: readonly FilePlace[] = [];
  /** Once the main file or its log was written over, what is there does not belong together, whatever is done to it. */
  #isWrittenOver = false;

  /** To be called when the main file is open. */
  constructor(path: string, mark: MainMark) {
    this.#main = new FilePlace(path);
    this.#mark = mark;
  }

  /** To be called when a connection has opened or made the logs. */
  begin(db: DatabaseSync, nowMs: number): void {
    const paths = SQLITE_LOGS.map((suffix) => this.#main.path + suffix);
    this.#logs = paths.filter((path) => existsSync(path)).map((path) => new FilePlace(path));
    this.#mark.begin(db, nowMs);
  }

  /** To be called when SQLite has closed the files. */
  close(): void {
    this.#mark.close();
  }

  /** To be called when other content was found in the write-ahead log. */
  logWrittenOver(): void {
    this.#isWrittenOver = true;
  }

  /** Looks whether other content was written over the main file or its log. Nothing of this database may be written into it then. */
  get isWrittenOver(): boolean {
    this.#isWrittenOver ||= this.#mark.isOver();
    return this.#isWrittenOver;
  }

  /** To be called with the writer's connection before the log is copied into the main file. Throws IO_FAILED if that was written over. */
  beforeCopy(db: DatabaseSync, nowMs: number): void {
    this.assertMine();
    this.#mark.renew(db, nowMs);
  }

  /** To be called right after the main file was changed, so that its newest mark is known. */
  afterCopy(): void {
    this.#isWrittenOver ||= this.#mark.isOver();
  }

  /** To be called before the main file is compacted. */
  mayShrink(): void {
    this.#mark.mayShrink();
  }

  async isMainHeld(): Promise<boolean> {
    return !this.isWrittenOver && (await this.#main.isHeld());
  }

  /** The same at this very moment. */
  get isMainHeldNow(): boolean {
    return !this.isWrittenOver && this.#main.isHeldNow;
  }

  async areAllHeld(): Promise<boolean> {
    const held = await Promise.all([this.#main, ...this.#logs].map((place) => place.isHeld()));
    return !this.isWrittenOver && held.every(Boolean);
  }

  /** Throws IO_FAILED if the path leads nowhere or to another file. To be called before the path is opened again. */
  assertMainHeld(): void {
    this.assertMine();
    const { path } = this.#main;
    if (this.#main.isSame(statSync(path, { bigint: true, throwIfNoEntry: false }))) return;
    throw new PersistenceError('IO_FAILED', `${path} was removed or replaced while it was open`, { details: { path } });
  }

  /** Throws IO_FAILED if the main file was written over. To be called before the open file is changed. */
  assertMine(): void {
    const { path } = this.#main;
    if (!this.isWrittenOver) return;
    throw new PersistenceError('IO_FAILED', `${path} was written over while it was open`, { details: { path } });
  }
}

/** The place of one file when it was opened. */
export class FilePlace {
  readonly path: string;
  readonly #opened: BigIntStats;

  constructor(path: string) {
    this.path = path;
    this.#opened = statSync(path, { bigint: true });
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
    return now?.dev === this.#opened.dev && now.ino === this.#opened.ino;
  }
}
