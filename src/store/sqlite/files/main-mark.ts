import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { readPragma } from '../read-pragma.ts';
import { FORMAT_NUMBERS, formatOf } from '../tables/index.ts';

/** The part of the first page that has the same layout in every file of SQLite (sqlite.org/fileformat2.html). */
const HEADER_BYTES = 100;
/** With the format below it, a mark fits the 31 bits of `user_version` that are not its sign. */
const MARK_BITS = 23;

/**
 * Notices that other content was written over the open main file, as `cp` of an old copy does: the file keeps its name and its inode.
 * The file carries a mark, which is exchanged before anything is copied into it from the log. So what was copied from the file before
 * that has another mark than the file has now, and so has any other database. Programs that read the file, touch it, or copy the log
 * into it do not change the mark.
 *
 * Without a write-ahead log each commit changes the file. Then only an opening exchanges the mark, but the header counts commits, and no count
 * may be lower than the one before.
 */
export class MainMark {
  /** Kept open until SQLite has closed the file: closing it earlier would take SQLite's locks away. */
  readonly #file: number;
  readonly #walMode: boolean;
  #growsOnly: boolean;
  /** As the main file last had it; undefined until `begin`. */
  #held: Header | undefined;
  /** `user_version` of the database: in its log, and in the main file as soon as the first page is copied. */
  #version = 0;

  /** `growsOnly`: SQLite will not make the file smaller, unless it is compacted. */
  constructor(path: string, walMode: boolean, growsOnly: boolean) {
    this.#file = openSync(path, 'r');
    this.#walMode = walMode;
    this.#growsOnly = growsOnly;
  }

  /** To be called when the database is open. Until then nothing counts as written over. */
  begin(db: DatabaseSync, nowMs: number): void {
    this.#version = readPragma(db, 'user_version');
    if (!this.#walMode && this.#held === undefined) this.renew(db, nowMs);
    this.#held ??= this.#read();
  }

  /** To be called before the main file is compacted. */
  mayShrink(): void {
    this.#growsOnly = false;
  }

  /** Looks whether other content was written over the file since the last look. If it cannot be found out now, it counts as false. */
  isOver(): boolean {
    if (this.#held === undefined) return false;
    try {
      const found = this.#read();
      if (found === undefined || !this.#mayFollow(this.#held, found)) return true;
      this.#held = found;
    } catch {
      // The disk does not answer, which other statements report.
    }
    return false;
  }

  /**
   * To be called with the writer's connection before the log is copied into the main file. If the disk has no room for a new mark, the
   * file keeps the one that it has: a copy from before would not be noticed.
   */
  renew(db: DatabaseSync, nowMs: number): void {
    const version = readPragma(db, 'user_version');
    // A mark that has not reached the main file is still new.
    if (this.#read()?.version !== version) return;
    const { ino } = fstatSync(this.#file, { bigint: true });
    const digest = createHash('sha256').update(`${version} ${nowMs} ${ino}`).digest();
    const mark = digest.readUInt32BE() >>> (32 - MARK_BITS);
    const next = mark * FORMAT_NUMBERS + formatOf(version);
    try {
      db.exec(`PRAGMA user_version = ${next}`);
      this.#version = next;
    } catch {
      // As above; or another program is writing.
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #mayFollow(held: Header, found: Header): boolean {
    if (found.isLogged !== held.isLogged) return false;
    if (found.version !== held.version && found.version !== this.#version) return false;
    if (this.#growsOnly && found.bytes < held.bytes) return false;
    return this.#walMode || found.commits >= held.commits;
  }

  /** Undefined: there is no header. */
  #read(): Header | undefined {
    const header = Buffer.alloc(HEADER_BYTES);
    if (readSync(this.#file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
    return {
      bytes: fstatSync(this.#file).size,
      isLogged: header[18] === 2,
      version: header.readUInt32BE(60),
      commits: header.readUInt32BE(24),
    };
  }
}

interface Header {
  readonly bytes: number;
  /** Whether the database has a write-ahead log; a backup has none. */
  readonly isLogged: boolean;
  readonly version: number;
  readonly commits: number;
}
