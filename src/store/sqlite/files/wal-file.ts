import { existsSync, fstatSync, readSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Layout of a write-ahead log (sqlite.org/fileformat2.html#walformat). */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const COPY_BYTES = 1024 * 1024;

/** Makes what was written to a file durable: `fdatasync` of the handle, unless a test replaces it. */
export type DataSync = (file: FileHandle) => Promise<void>;

/**
 * The write-ahead log as a file. SQLite never replaces it while a connection is open, so one handle stays valid. It carries
 * no locks, so opening and closing it beside SQLite is safe.
 */
export class WalFile {
  readonly path: string;
  readonly #dataSync: DataSync;
  #file: Promise<FileHandle> | undefined;

  constructor(databasePath: string, dataSync: DataSync) {
    this.path = `${databasePath}-wal`;
    this.#dataSync = dataSync;
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
    if (readSync(file.fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return 0;
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
    return low * frameBytes;
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
      await file.write(bytes, 0, bytesRead, at);
      at += bytesRead;
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
    return async () => (await file)?.close();
  }

  async #open(): Promise<FileHandle | undefined> {
    if (this.#file === undefined && existsSync(this.path)) this.#file = open(this.path, 'r+');
    return this.#file;
  }
}
