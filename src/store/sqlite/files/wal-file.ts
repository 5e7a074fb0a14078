import { existsSync, fstatSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Layout of a write-ahead log (sqlite.org/fileformat2.html#walformat). */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const COPY_BYTES = 1024 * 1024;
/** A log of so many rounds ago is recognised as an old one. */
const ROUNDS_BACK_MAX = 65_536;

/** Makes what was written to a file durable: `fdatasync` of the handle, unless a test replaces it. */
export type DataSync = (file: FileHandle) => Promise<void>;

interface Reached {
  readonly round: number;
  readonly frames: number;
}

/**
 * The write-ahead log as a file. SQLite never replaces it while a connection is open, so one handle stays valid. It carries
 * no locks, so opening and closing it beside SQLite is safe.
 */
export class WalFile {
  readonly path: string;
  readonly #dataSync: DataSync;
  readonly #onWrittenOver: () => void;
  #file: Promise<FileHandle | undefined> | undefined;
  /** How far the log was at the last look; undefined: it was empty, or there was none. */
  #reached: Reached | undefined;

  /** `onWrittenOver`: called when the log is found to be older than it was, as if an old copy was written over it. */
  constructor(databasePath: string, dataSync: DataSync, onWrittenOver: () => void) {
    this.path = `${databasePath}-wal`;
    this.#dataSync = dataSync;
    this.#onWrittenOver = onWrittenOver;
  }

  /** Resolves when every commit made before the call is durable. */
  async sync(): Promise<void> {
    const file = await this.#open();
    if (file !== undefined) await this.#dataSync(file);
  }

  /**
   * Bytes written since the log was last restarted, checkpointed or not: the frames that carry the salt of the header. Frames
   * of an earlier round follow them. Their end is found by bisection: a dozen reads of bytes that are in memory, because
   * they were just written. Each would take twenty times as long in a thread.
   */
  async pendingBytes(): Promise<number> {
    const file = await this.#open();
    if (file === undefined) return 0;
    const header = Buffer.alloc(HEADER_BYTES);
    if (readSync(file.fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) {
      this.#reached = undefined;
      return 0;
    }
    const frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(8);
    const salt = header.subarray(16, 24);
    let low = 0;
    let high = Math.floor((fstatSync(file.fd).size - HEADER_BYTES) / frameBytes);
    const found = Buffer.alloc(8);
    while (low < high) {
      const middle = (low + high) >> 1;
      readSync(file.fd, found, 0, 8, HEADER_BYTES + middle * frameBytes + 8);
      if (found.equals(salt)) low = middle + 1;
      else high = middle;
    }
    this.#look({ round: salt.readUInt32BE(), frames: low });
    return low * frameBytes;
  }

  /**
   * SQLite raises the first half of the salt by one when it restarts the log, and removes no frame before that. A program that writes into an
   * empty log draws another salt, which tells nothing.
   */
  #look(now: Reached): void {
    const before = this.#reached;
    this.#reached = now;
    if (before === undefined) return;
    const back = (before.round - now.round) >>> 0;
    if (back === 0 ? now.frames < before.frames : back <= ROUNDS_BACK_MAX) this.#onWrittenOver();
  }

  /** Size of the whole file. */
  sizeBytes(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /**
   * Writes the log's bytes again and makes them durable. After a failed sync the system may treat pages as clean that it
   * never wrote; a later sync would skip them and report success (as PostgreSQL found in 2018).
   */
  async rewrite(): Promise<void> {
    const file = await this.#open();
    if (file === undefined) return;
    const bytes = Buffer.alloc(COPY_BYTES);
    for (let at = 0; ; ) {
      const { bytesRead } = await file.read(bytes, 0, COPY_BYTES, at);
      if (bytesRead === 0) break;
      // A nearly full disk may take only some of the bytes without an error.
      at += (await file.write(bytes, 0, bytesRead, at)).bytesWritten;
    }
    await this.#dataSync(file);
  }

  close(): Promise<void> {
    return this.renew()();
  }

  /** The next call opens whatever file is there then. Returns a function that closes the old one, for when no sync is under way. */
  renew(): () => Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#reached = undefined;
    return async () => (await file)?.close();
  }

  async #open(): Promise<FileHandle | undefined> {
    if (this.#file === undefined && existsSync(this.path)) this.#file = this.#openNow();
    return this.#file;
  }

  async #openNow(): Promise<FileHandle | undefined> {
    try {
      return await open(this.path, 'r+');
    } catch (error) {
      // The next call tries again.
      this.#file = undefined;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return undefined;
    }
  }
}
