import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Logger } from '../../../core/logging/index.ts';
import { syncFolderOf } from './private-files.ts';
import type { DataSync } from './wal-file.ts';

/** One commit, as it stands in the file. */
export interface RedoRecord {
  /** Commits count from 1 in the life of a file; those that SQLite took by itself have no record. */
  readonly number: number;
  readonly text: string;
}

/** A segment is written from its beginning again when SQLite holds all of its records, durably. */
const SEGMENT_BYTES = 256 * 1024;
const SEGMENTS = 2;
const FILE_BYTES = SEGMENTS * SEGMENT_BYTES;
/** A larger commit is no record: SQLite takes it by itself. */
const RECORD_BYTES_MAX = 64 * 1024;
/** UTF-8 needs at most so many bytes for a UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;

/** `EGDR`, sum of all that follows, bytes of text, generation of the database, number. */
const MAGIC = 0x45474452;
const MAGIC_BYTES = Buffer.from('EGDR', 'latin1');
const HEADER_BYTES = 28;
const SUMMED_FROM = 8;

/** What is found in the file. */
export interface FoundRecords {
  /** In order of numbers. */
  readonly records: readonly RedoRecord[];
  /** The highest number that was ever written, whether its record can be read or not. */
  readonly newest: number;
}

interface Segment {
  readonly from: number;
  /** Where the next record goes. */
  end: number;
  /** The transaction of SQLite that took all of its records; undefined: some are not taken yet. */
  takenBy: number | undefined;
}

/**
 * The redo log: a file of fixed size, written in place, with the small commits that are not in a transaction of SQLite yet
 * (ADR 0011). A record is one write of a few hundred bytes, where SQLite writes a page for every table and index that a commit
 * touches; and as the file never grows, a sync of it writes nothing but the record.
 *
 * Two segments take turns. Records of one are overwritten only when SQLite holds them as durably as was promised, so that at any
 * moment database, write-ahead log and this file together hold a prefix of the commits. A record that was cut off fails its
 * sum and ends its segment; what older ones follow it have lower numbers. Behind the last record stands its number once more, so
 * that a bit that flips in it is noticed.
 */
export class RedoFile {
  readonly path: string;
  readonly #dataSync: DataSync;
  readonly #logger: Logger;
  readonly #segments: readonly Segment[];
  readonly #scratch = Buffer.allocUnsafe(HEADER_BYTES + RECORD_BYTES_MAX + HEADER_BYTES);
  #current: Segment;
  #file: number | undefined;
  /** There was no room for it, or no right to make it: everything goes to SQLite, until the next opening. */
  #isUnavailable = false;
  #handle: Promise<FileHandle> | undefined;
  /** Where a record was begun that the disk refused. */
  #refusedAt: number | undefined;
  /** What the disk said of the last record, where it refused it; told once. */
  #refusal: string | undefined;
  /** Records written, and how many of them the last good sync covered. */
  #written = 0;
  #synced = 0;
  /** Transactions of SQLite that took records, and how many of them are durable as was promised. */
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

  /** False: it was removed or replaced while it is open. */
  get isInPlace(): boolean {
    if (this.#file === undefined) return true;
    const now = statSync(this.path, { throwIfNoEntry: false });
    return now !== undefined && now.ino === fstatSync(this.#file).ino;
  }

  /** What the file holds of this generation. */
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
   * Writes a record; false: it is too large, there is no room until SQLite's transactions are durable, or the file cannot be made.
   * Throws what the disk says, and then the place is free for the next one, though the record may stand there all the same.
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
    segment.end += length;
    segment.takenBy = undefined;
    this.#current = segment;
    this.#written++;
    return true;
  }

  /** A record that was refused can be read no more. Throws what the disk says. */
  withdraw(): void {
    if (this.#refusedAt === undefined || this.#file === undefined) return;
    writeWhole(this.#file, Buffer.alloc(HEADER_BYTES), this.#refusedAt);
    this.#refusedAt = undefined;
  }

  /** SQLite takes what is refused here: nobody would hear that the disk begins to fail. */
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

  /** How many of them are as durable as was promised. */
  get durableTransactions(): number {
    return this.#durableTransactions;
  }

  /** More than half of the room is left that there is before transactions of SQLite must be durable. */
  get hasRoom(): boolean {
    return this.#freeSegment() !== undefined || this.#current.end - this.#current.from < SEGMENT_BYTES / 2;
  }

  /** A transaction of SQLite holds every record so far. */
  taken(): void {
    this.#transactions++;
    for (const segment of this.#segments) segment.takenBy ??= this.#transactions;
  }

  /** So many transactions of SQLite are as durable as was promised: records that they hold may be overwritten. */
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

  /** Writes everything once more and makes it durable; see `WalFile.rewrite`. */
  async rewrite(): Promise<void> {
    if (this.#file === undefined) return;
    const written = this.#written;
    writeWhole(this.#file, readFileSync(this.path), 0);
    await this.#dataSync(await this.#openHandle());
    this.#synced = Math.max(this.#synced, written);
  }

  /** `isObsolete`: SQLite holds all of it, durably, so that the file can go. */
  async close(isObsolete: boolean): Promise<void> {
    await (await this.#handle)?.close();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#handle = undefined;
    if (isObsolete) removeIfPossible(this.path);
  }

  /** SQLite holds all of it, durably: the next record makes a new file. Returns what closes the old one once no sync is under way. */
  renew(): () => Promise<void> {
    const [file, handle] = [this.#file, this.#handle];
    this.#file = undefined;
    this.#handle = undefined;
    this.#synced = this.#written;
    this.#refusedAt = undefined;
    for (const segment of this.#segments) Object.assign(segment, { end: segment.from, takenBy: 0 });
    removeIfPossible(this.path);
    return async () => {
      if (file !== undefined) closeSync(file);
      await (await handle)?.close();
    };
  }

  /** The current segment while it has room and holds what is needed; else one that is needed no more, from its beginning. */
  #segmentFor(bytes: number): Segment | undefined {
    const current = this.#current;
    const hasRoom = current.end + bytes <= current.from + SEGMENT_BYTES;
    const free = hasRoom && current.takenBy === undefined ? undefined : this.#freeSegment();
    if (free === undefined) return hasRoom ? current : undefined;
    free.end = free.from;
    return free;
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
      // SQLite does without it, and says what the disk says if there is something to say.
      this.#isUnavailable = true;
    }
    return this.#file;
  }

  /** Made of zeros first: a sync of bytes that replace others need not wait for the file system's own log. */
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

/** What stays belongs to a generation that is over: nobody reads it any more. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next opening uses it again.
  }
}

/** A disk that is nearly full may take a part without an error. */
function writeWhole(file: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

/** The text stands behind the header already. */
function putHeader(record: Buffer, generation: number, number: number): void {
  record.writeUInt32BE(MAGIC, 0);
  record.writeUInt32BE(record.length - HEADER_BYTES, 8);
  record.writeDoubleBE(generation, 12);
  record.writeDoubleBE(number, 20);
  record.writeUInt32BE(crc32(record.subarray(SUMMED_FROM)), 4);
}

/** The record at this place; undefined where there is none of this generation that is whole. */
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

/** Records from the beginning of a segment, up to the first that is not whole or not newer than the one before. */
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
