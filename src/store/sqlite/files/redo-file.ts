import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Logger } from '../../../core/logging/index.ts';
import { syncFolderOf } from './private-files.ts';
import type { DataSync } from './wal-file.ts';

/** One commit in the redo log. */
export interface RedoRecord {
  /** Commits are numbered from 1 in the life of a file. Those that went directly to SQLite have no record. */
  readonly number: number;
  readonly text: string;
}

/** A segment is overwritten from its beginning once SQLite durably holds all of its records. */
const SEGMENT_BYTES = 256 * 1024;
const SEGMENTS = 2;
const FILE_BYTES = SEGMENTS * SEGMENT_BYTES;
/** Larger commits go directly to SQLite. */
const RECORD_BYTES_MAX = 64 * 1024;
/** Most UTF-8 bytes that one UTF-16 code unit needs. */
const BYTES_PER_UNIT_MAX = 3;

/** Header of a record: `EGDR`, sum of all that follows, bytes of text, generation of the database, number of the commit. */
const MAGIC = 0x45474452;
const MAGIC_BYTES = Buffer.from('EGDR', 'latin1');
const HEADER_BYTES = 28;
const SUMMED_FROM = 8;

/** The records found in the file. */
export interface FoundRecords {
  /** In order of numbers. */
  readonly records: readonly RedoRecord[];
  /** The highest number found, whether or not its record can be read. */
  readonly newest: number;
}

/** A record that must still be where it was written. */
interface Place {
  readonly segment: Segment;
  readonly at: number;
  readonly header: Buffer;
}

interface Segment {
  readonly from: number;
  /** Offset of the next record. */
  end: number;
  /** Number of the transaction of SQLite with which all of its records were taken; undefined: some are not taken yet. */
  takenBy: number | undefined;
}

/**
 * The redo log: a file of fixed size, written in place, with the small commits that are not yet in a finished transaction of
 * SQLite (ADR 0011). A record is one write of a few hundred bytes, where SQLite writes a page for every table and index that
 * a commit touches. As the file never grows, a sync of it writes nothing but the record.
 *
 * Two segments take turns. The records of one are overwritten only when SQLite holds them as durably as promised, so that at
 * any moment database, write-ahead log and this file together hold a prefix of the commits. A record that was cut off fails
 * its sum and ends its segment; older records that follow it have lower numbers. Each record is followed by a second header
 * with its number, which the next record overwrites, so that a flipped bit in the last record is noticed.
 */
export class RedoFile {
  readonly path: string;
  readonly #dataSync: DataSync;
  readonly #logger: Logger;
  readonly #segments: readonly Segment[];
  /** The newest record, and the one that was it at the last look. */
  #newest: Place | undefined;
  #seen: Place | undefined;
  readonly #scratch = Buffer.allocUnsafe(HEADER_BYTES + RECORD_BYTES_MAX + HEADER_BYTES);
  #current: Segment;
  #file: number | undefined;
  /** The file could not be made for lack of space or permission: until the next opening, everything goes to SQLite. */
  #isUnavailable = false;
  #handle: Promise<FileHandle> | undefined;
  /** Offset of a record that the disk refused. */
  #refusedAt: number | undefined;
  /** Error with which the disk refused the last record, so that it is logged only once. */
  #refusal: string | undefined;
  /** Number of records written, and of those that the last good sync covered. */
  #written = 0;
  #synced = 0;
  /** Number of transactions of SQLite so far, and of those that are as durable as promised. */
  #transactions = 0;
  #durableTransactions = 0;

  constructor(databasePath: string, dataSync: DataSync, logger: Logger) {
    this.path = `${databasePath}-redo`;
    this.#dataSync = dataSync;
    this.#logger = logger;
    this.#segments = Array.from({ length: SEGMENTS }, (_, i) => ({
      from: i * SEGMENT_BYTES,
      end: i * SEGMENT_BYTES,
      takenBy: 0,
    }));
    this.#current = this.#segments[0]!;
  }

  /** Whether records were written that no sync has covered. */
  get isDirty(): boolean {
    return this.#written > this.#synced;
  }

  /**
   * Whether the file is still in its place, with the records of this look and of the last one; false: it was removed or replaced while
   * open, or other content, such as an old copy, was written over it.
   */
  look(): boolean {
    if (this.#file === undefined) return true;
    const now = statSync(this.path, { throwIfNoEntry: false });
    const isHeld = now !== undefined && now.ino === fstatSync(this.#file).ino;
    if (!isHeld || !this.#holds(this.#seen) || !this.#holds(this.#newest)) return false;
    this.#seen = this.#newest;
    return true;
  }

  /** The records of this generation. */
  read(generation: number): FoundRecords {
    if (!existsSync(this.path)) return { records: [], newest: 0 };
    const bytes = readFileSync(this.path);
    const found = this.#segments.map(({ from }) => recordsOf(bytes.subarray(from, from + SEGMENT_BYTES), generation));
    return {
      records: found.flatMap(({ records }) => records).sort((a, b) => a.number - b.number),
      newest: Math.max(...found.map(({ newest }) => newest)),
    };
  }

  /**
   * Writes a record. False: it is too large, there is no space until transactions of SQLite are durable, or the file cannot
   * be made. Throws the error of the disk; the next record will then overwrite the place, but until that the refused record
   * may be there nevertheless.
   */
  append(generation: number, number: number, text: string): boolean {
    if (text.length * BYTES_PER_UNIT_MAX > RECORD_BYTES_MAX && Buffer.byteLength(text) > RECORD_BYTES_MAX) return false;
    const bytes = this.#scratch.write(text, HEADER_BYTES, 'utf8');
    const length = HEADER_BYTES + bytes;
    const written = length + HEADER_BYTES;
    const segment = this.#segmentFor(written);
    const file = segment && this.#openOnce();
    if (segment === undefined || file === undefined) return false;
    putHeader(this.#scratch.subarray(0, length), generation, number);
    putHeader(this.#scratch.subarray(length, written), generation, number);
    this.#refusedAt = segment.end;
    this.#write(file, this.#scratch.subarray(0, written), segment.end);
    this.#refusedAt = undefined;
    this.#newest = { segment, at: segment.end, header: Buffer.from(this.#scratch.subarray(0, HEADER_BYTES)) };
    segment.end += length;
    segment.takenBy = undefined;
    this.#current = segment;
    this.#written++;
    return true;
  }

  /** Makes a refused record unreadable. Throws the error of the disk. */
  withdraw(): void {
    if (this.#refusedAt === undefined || this.#file === undefined) return;
    writeWhole(this.#file, Buffer.alloc(HEADER_BYTES), this.#refusedAt);
    this.#refusedAt = undefined;
  }

  /** Logs refusals: SQLite takes the commit instead, so otherwise nobody would notice that the disk begins to fail. */
  #write(file: number, bytes: Buffer, at: number): void {
    try {
      writeWhole(file, bytes, at);
      this.#refusal = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#refusal)
        this.#logger.warn(
          { err: error, path: this.path },
          'the disk refused a record of the redo log; SQLite takes it',
        );
      this.#refusal = message;
      throw error;
    }
  }

  /** Transactions of SQLite so far. */
  get transactions(): number {
    return this.#transactions;
  }

  /** How many of them are as durable as promised. */
  get durableTransactions(): number {
    return this.#durableTransactions;
  }

  /** Whether there is enough space left before transactions of SQLite must become durable: a free segment, or half of one. */
  get hasRoom(): boolean {
    return this.#freeSegment() !== undefined || this.#current.end - this.#current.from < SEGMENT_BYTES / 2;
  }

  /** Reports that a transaction of SQLite holds every record so far. */
  taken(): void {
    this.#transactions++;
    for (const segment of this.#segments) segment.takenBy ??= this.#transactions;
  }

  /** Reports how many transactions of SQLite are as durable as promised. Records that they hold may be overwritten. */
  release(transactions: number): void {
    this.#durableTransactions = Math.max(this.#durableTransactions, transactions);
  }

  /** Resolves when every record written before the call is durable. */
  async sync(): Promise<void> {
    const written = this.#written;
    if (written === this.#synced) return;
    await this.#dataSync(await this.#openHandle());
    this.#synced = Math.max(this.#synced, written);
  }

  /** Writes everything again and makes it durable; see `WalFile.rewrite`. */
  async rewrite(): Promise<void> {
    if (this.#file === undefined) return;
    const written = this.#written;
    writeWhole(this.#file, readFileSync(this.path), 0);
    await this.#dataSync(await this.#openHandle());
    this.#synced = Math.max(this.#synced, written);
  }

  /** `isObsolete`: SQLite durably holds everything, so the file can be removed. */
  async close(isObsolete: boolean): Promise<void> {
    await (await this.#handle)?.close();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#handle = undefined;
    if (isObsolete) removeIfPossible(this.path);
  }

  /**
   * Begins a new file with the next record. To be called when SQLite durably holds everything. Returns a function that closes
   * the old file, to be called once no sync is under way.
   */
  renew(): () => Promise<void> {
    const [file, handle] = [this.#file, this.#handle];
    this.#file = undefined;
    this.#handle = undefined;
    this.#synced = this.#written;
    this.#refusedAt = undefined;
    this.#newest = undefined;
    this.#seen = undefined;
    for (const segment of this.#segments) Object.assign(segment, { end: segment.from, takenBy: 0 });
    removeIfPossible(this.path);
    return async () => {
      if (file !== undefined) closeSync(file);
      await (await handle)?.close();
    };
  }

  /** The current segment while it has space and untaken records; otherwise, if there is one, a free segment from its beginning. */
  #segmentFor(bytes: number): Segment | undefined {
    const current = this.#current;
    const hasRoom = current.end + bytes <= current.from + SEGMENT_BYTES;
    const free = hasRoom && current.takenBy === undefined ? undefined : this.#freeSegment();
    if (free === undefined) return hasRoom ? current : undefined;
    free.end = free.from;
    if (this.#seen?.segment === free) this.#seen = undefined;
    return free;
  }

  #holds(place: Place | undefined): boolean {
    if (place === undefined || this.#file === undefined) return true;
    const found = Buffer.alloc(HEADER_BYTES);
    try {
      readSync(this.#file, found, 0, HEADER_BYTES, place.at);
    } catch {
      // The disk does not answer, which the next write reports.
      return true;
    }
    return found.equals(place.header);
  }

  #freeSegment(): Segment | undefined {
    return this.#segments.find(
      (segment) => segment !== this.#current && (segment.takenBy ?? Infinity) <= this.#durableTransactions,
    );
  }

  #openOnce(): number | undefined {
    if (this.#file !== undefined || this.#isUnavailable) return this.#file;
    try {
      this.#file = this.#open();
    } catch {
      // SQLite works without the redo log, and reports the disk's error if it concerns SQLite too.
      this.#isUnavailable = true;
    }
    return this.#file;
  }

  /** The file is filled with zeros first: a sync of overwritten bytes need not wait for the file system's own log. */
  #open(): number {
    const isWhole = (statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) >= FILE_BYTES;
    const file = openSync(this.path, isWhole ? 'r+' : 'w+', 0o600);
    try {
      if (!isWhole) {
        writeWhole(file, Buffer.alloc(FILE_BYTES), 0);
        fdatasyncSync(file);
        syncFolderOf(this.path);
      }
    } catch (error) {
      closeSync(file);
      removeIfPossible(this.path);
      throw error;
    }
    return file;
  }

  #openHandle(): Promise<FileHandle> {
    this.#handle ??= open(this.path, 'r+');
    return this.#handle;
  }
}

/** A file that stays belongs to an old generation, so its records are never read again. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next opening reuses it.
  }
}

/** Writes all bytes: a nearly full disk may take only some of them without an error. */
function writeWhole(file: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

/** Writes the header of a record whose text is already in place. */
function putHeader(record: Buffer, generation: number, number: number): void {
  record.writeUInt32BE(MAGIC, 0);
  record.writeUInt32BE(record.length - HEADER_BYTES, 8);
  record.writeDoubleBE(generation, 12);
  record.writeDoubleBE(number, 20);
  record.writeUInt32BE(crc32(record.subarray(SUMMED_FROM)), 4);
}

/** The record at this offset; undefined if there is no complete one of this generation. */
function recordAt(
  segment: Buffer,
  at: number,
  generation: number,
): (RedoRecord & { readonly end: number }) | undefined {
  if (at + HEADER_BYTES > segment.length || segment.readUInt32BE(at) !== MAGIC) return undefined;
  const end = at + HEADER_BYTES + segment.readUInt32BE(at + 8);
  if (end > segment.length || segment.readDoubleBE(at + 12) !== generation) return undefined;
  if (segment.readUInt32BE(at + 4) !== crc32(segment.subarray(at + SUMMED_FROM, end))) return undefined;
  return { number: segment.readDoubleBE(at + 20), text: segment.toString('utf8', at + HEADER_BYTES, end), end };
}

/** The records of a segment, up to the first that is incomplete or not newer than the one before. */
function recordsOf(segment: Buffer, generation: number): FoundRecords {
  const records: RedoRecord[] = [];
  let at = 0;
  for (;;) {
    const record = recordAt(segment, at, generation);
    if (record === undefined || record.number <= (records.at(-1)?.number ?? 0)) break;
    records.push({ number: record.number, text: record.text });
    at = record.end;
  }
  let newest = records.at(-1)?.number ?? 0;
  for (at = segment.indexOf(MAGIC_BYTES, at); at >= 0; at = segment.indexOf(MAGIC_BYTES, at + 1))
    newest = Math.max(newest, recordAt(segment, at, generation)?.number ?? 0);
  return { records, newest };
}
