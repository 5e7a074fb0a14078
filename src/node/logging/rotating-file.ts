import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { makePrivateFolder } from '../files/index.ts';

export interface RotatingFileOptions {
  /** The current file. Older ones lie beside it as `name.1.log`, `name.2.log` …; the highest number is the oldest. */
  readonly path: string;
  /** A file that would grow beyond this is put aside first. A longer line gets a file of its own. */
  readonly fileBytesMax: number;
  /** How many files are kept, including the current one. */
  readonly filesMax: number;
  /** Most bytes that wait for the disk. Further lines are dropped; their number is logged later. */
  readonly bufferBytesMax: number;
  /** Called once per run of failures. */
  readonly onError: (error: Error) => void;
}

/**
 * A log file bounded in size and number, across restarts. pino-roll was tried first, but it rolls only when writing pauses, so
 * that a busy log grew to 24 times its bound, and the configured path never exists.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #failing = false;
  #pump: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Queues a whole line; never waits, never throws. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > this.#options.bufferBytesMax) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#pump ??= this.#drain();
  }

  /** Resolves when every line passed so far is in the file, or was dropped with `onError`. */
  async close(): Promise<void> {
    while (this.#pump !== undefined) await this.#pump;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    // A microtask lets the lines of one burst share a write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#takeFile();
      try {
        await this.#append(lines.join(''));
        this.#failing = false;
      } catch (error) {
        this.#fail(lines.length, error as Error);
      }
    }
    this.#pump = undefined;
  }

  /** The next lines that fit one file. */
  #takeFile(): string[] {
    let bytes = 0;
    let count = 0;
    for (const line of this.#waiting) {
      bytes += Buffer.byteLength(line);
      if (count > 0 && bytes > this.#options.fileBytesMax / 2) break;
      count++;
    }
    const lines = this.#waiting.splice(0, count);
    for (const line of lines) this.#waitingBytes -= Buffer.byteLength(line);
    return lines;
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text);
    this.#file ??= await this.#open();
    if (this.#fileBytes > 0 && this.#fileBytes + bytes > this.#options.fileBytesMax) await this.#rotate();
    await this.#file.appendFile(text);
    this.#fileBytes += bytes;
    if (this.#dropped > 0) await this.#logDropped();
  }

  async #logDropped(): Promise<void> {
    const line = `${JSON.stringify({ level: 'Warning', dropped: this.#dropped, msg: 'log lines were dropped' })}\n`;
    this.#dropped = 0;
    await this.#file?.appendFile(line);
    this.#fileBytes += line.length;
  }

  async #open(): Promise<FileHandle> {
    await makePrivateFolder(dirname(this.#options.path));
    const file = await open(this.#options.path, 'a', 0o600);
    this.#fileBytes = (await file.stat()).size;
    return file;
  }

  async #rotate(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const { filesMax } = this.#options;
    await rm(this.#name(filesMax - 1), { force: true });
    for (let number = filesMax - 2; number >= 0; number--) {
      await rename(this.#name(number), this.#name(number + 1)).catch(ignoreMissing);
    }
    this.#file = await this.#open();
  }

  #name(number: number): string {
    const { path } = this.#options;
    if (number === 0) return path;
    const extension = extname(path);
    return `${path.slice(0, path.length - extension.length)}.${number}${extension}`;
  }

  #fail(lines: number, error: Error): void {
    this.#dropped += lines;
    if (!this.#failing) this.#options.onError(error);
    this.#failing = true;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  // A number that was never reached, or a file that somebody moved away.
  if (error.code !== 'ENOENT') throw error;
}
