import { type FileHandle, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { ConfigurationError } from '../../core/errors/index.ts';
import { fileProblem, toFileError } from '../files/index.ts';
import { CommandStopped } from './exit-code.ts';

/** Minimum number of bytes between two marks of a resumable export. */
const MARK_BYTES = 1024 * 1024;

/** How far an export has come: the last key within the first `bytes` bytes of the file. */
interface Mark {
  readonly key: string;
  readonly bytes: number;
}

interface ExportFileOptions {
  readonly isResumable: boolean;
  /** Aborts with CommandStopped. */
  readonly signal: AbortSignal;
}

/** A file that appears under its name when it is complete. A resumable one keeps its content when it is given up. */
export class ExportFile {
  /** The key after which the export continues; undefined: from the first document. */
  readonly after: string | undefined;
  readonly #path: string;
  readonly #isResumable: boolean;
  readonly #handle: FileHandle;
  readonly #signal: AbortSignal;
  #bytes: number;
  #markedBytes: number;

  private constructor(
    path: string,
    { isResumable, signal }: ExportFileOptions,
    handle: FileHandle,
    mark: Mark | undefined,
  ) {
    this.#path = path;
    this.#isResumable = isResumable;
    this.#handle = handle;
    this.after = mark?.key;
    this.#bytes = mark?.bytes ?? 0;
    this.#markedBytes = this.#bytes;
    this.#signal = signal;
  }

  /** Rejects with FILE_INVALID if the path cannot be a file. */
  static async open(path: string, options: ExportFileOptions): Promise<ExportFile> {
    try {
      const place = await placeOf(path);
      const mark = options.isResumable ? await readMark(place) : undefined;
      const handle = await open(draftOf(place), mark === undefined ? 'w' : 'r+', 0o600);
      // What was written after the mark is written again.
      if (mark !== undefined) await handle.truncate(mark.bytes);
      return new ExportFile(place, options, handle, mark);
    } catch (cause) {
      if (cause instanceof ConfigurationError) throw cause;
      if (!isWrongPath(cause)) throw toFileError(cause, path);
      throw new ConfigurationError('FILE_INVALID', `cannot write ${path}: ${fileProblem(cause)}; check the path`, {
        cause,
      });
    }
  }

  /** Rejects with CommandStopped after a stop signal. */
  async write(chunk: string | Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let from = 0; from < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, from, bytes.length - from, this.#bytes);
      from += bytesWritten;
      this.#bytes += bytesWritten;
    }
  }

  /** Notes that the content so far ends with this key. */
  async mark(key: string): Promise<void> {
    if (!this.#isResumable || this.#bytes < this.#markedBytes + MARK_BYTES) return;
    await this.#handle.sync();
    const mark: Mark = { key, bytes: this.#bytes };
    await writeFile(`${markOf(this.#path)}.new`, JSON.stringify(mark), { mode: 0o600 });
    await rename(`${markOf(this.#path)}.new`, markOf(this.#path));
    this.#markedBytes = this.#bytes;
  }

  async finish(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    await rename(draftOf(this.#path), this.#path);
    await rm(markOf(this.#path), { force: true });
  }

  /** Closes the file after an error, and returns the error to throw. */
  async giveUp(error: unknown): Promise<unknown> {
    await this.#handle.close();
    if (!this.#isResumable) await rm(draftOf(this.#path), { force: true });
    const { aborted, reason } = this.#signal;
    if (!aborted || !(reason instanceof CommandStopped)) return toFileError(error, this.#path);
    const rest = this.#isResumable ? 'run it again with --resume to go on' : 'nothing was left behind';
    return new CommandStopped(reason.signal, `stopped before ${this.#path} was complete; ${rest}`);
  }
}

/** The path to replace: the target of a link. Throws for a pipe or a device, which the rename would remove. */
async function placeOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return path;
  if (found.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  if (found.isFile()) return realpath(path);
  const message = `cannot write ${path}: it is a device or a pipe; name a file, or leave it out and redirect the standard output`;
  throw new ConfigurationError('FILE_INVALID', message);
}

function draftOf(path: string): string {
  return `${path}.part`;
}

function markOf(path: string): string {
  return `${path}.part.mark`;
}

/** Undefined if there is nothing to resume. */
async function readMark(path: string): Promise<Mark | undefined> {
  try {
    const { key, bytes } = JSON.parse(await readFile(markOf(path), 'utf8')) as Mark;
    const { size } = await stat(draftOf(path));
    return typeof key === 'string' && Number.isSafeInteger(bytes) && size >= bytes ? { key, bytes } : undefined;
  } catch {
    // No mark, or an incomplete one: start with the first document.
    return undefined;
  }
}

function isWrongPath(error: unknown): error is NodeJS.ErrnoException {
  return ['EACCES', 'EISDIR', 'ENOENT', 'ENOTDIR', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}
