import { type FileHandle, lstat, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError, PersistenceError } from '../../core/errors/index.ts';
import { fileProblem, syncFolder, toFileError } from '../files/index.ts';
import { CommandStopped } from './exit-code.ts';

/** Minimum number of bytes between two marks of a resumable export. */
const MARK_BYTES = 1024 * 1024;

/** How far an export has come: the last key within the first `bytes` bytes of the file. */
interface Mark {
  /** What the export is of. */
  readonly of: string;
  readonly key: string;
  readonly bytes: number;
}

interface OpenDraft {
  readonly handle: FileHandle;
  /** Undefined: nothing is resumed. */
  readonly mark: Mark | undefined;
  readonly unlock: () => void;
}

interface ExportFileOptions {
  /** Describes all that decides the content: an interrupted export is continued only by one of the same. Null: it cannot be continued. */
  readonly resumable: string | null;
  /** Aborts with CommandStopped. */
  readonly signal: AbortSignal;
}

/**
 * A file that appears under its name when it is complete. A resumable one keeps its content when it is given up. One is written at
 * a time, because all for a name share one draft: that is how the next one finds what a killed one left.
 */
export class ExportFile {
  /** The key after which the export continues; undefined: from the first document. */
  readonly after: string | undefined;
  readonly #path: string;
  readonly #resumable: string | null;
  readonly #handle: FileHandle;
  readonly #unlock: () => void;
  readonly #signal: AbortSignal;
  #bytes: number;
  #markedBytes: number;

  private constructor(path: string, { resumable, signal }: ExportFileOptions, { handle, mark, unlock }: OpenDraft) {
    this.#path = path;
    this.#resumable = resumable;
    this.#handle = handle;
    this.#unlock = unlock;
    this.after = mark?.key;
    this.#bytes = mark?.bytes ?? 0;
    this.#markedBytes = this.#bytes;
    this.#signal = signal;
  }

  /** Rejects with FILE_INVALID if the path cannot be a file, IO_FAILED if another export to it is under way. */
  static async open(path: string, options: ExportFileOptions): Promise<ExportFile> {
    try {
      const place = await placeOf(path);
      return new ExportFile(place, options, await openDraft(place, options.resumable));
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
    const of = this.#resumable;
    if (of === null || this.#bytes < this.#markedBytes + MARK_BYTES) return;
    await this.#handle.sync();
    const mark: Mark = { of, key, bytes: this.#bytes };
    await writeFile(draftMarkOf(this.#path), JSON.stringify(mark), { mode: 0o600 });
    await rename(draftMarkOf(this.#path), markOf(this.#path));
    this.#markedBytes = this.#bytes;
  }

  /** The file lies durably under its name on return. */
  async finish(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    await rename(draftOf(this.#path), this.#path);
    await syncFolder(dirname(this.#path));
    await removeMarks(this.#path);
    this.#unlock();
  }

  /** Closes the file after an error, and returns the error to throw. */
  async giveUp(error: unknown): Promise<unknown> {
    // The first error is the one to tell.
    await this.#handle.close().catch(() => {});
    await rm(draftMarkOf(this.#path), { force: true }).catch(() => {});
    if (this.#resumable === null) await rm(draftOf(this.#path), { force: true }).catch(() => {});
    this.#unlock();
    const { aborted, reason } = this.#signal;
    if (!aborted || !(reason instanceof CommandStopped)) return toFileError(error, this.#path);
    const rest = this.#resumable !== null ? 'run it again with --resume to go on' : 'nothing was left behind';
    return new CommandStopped(reason.signal, `stopped before ${this.#path} was complete; ${rest}`);
  }
}

/** The path to replace: the target of a link. Throws for a link to nowhere, a pipe or a device, which the rename would remove. */
async function placeOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
    if (!isLink) return path;
    const message = `cannot write ${path}: it is a link to something that is not there; is its disk mounted?`;
    throw new ConfigurationError('FILE_INVALID', message);
  }
  if (found.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  if (found.isFile()) return realpath(path);
  const message = `cannot write ${path}: it is a device or a pipe; name a file, or leave it out and redirect the standard output`;
  throw new ConfigurationError('FILE_INVALID', message);
}

async function openDraft(path: string, resumable: string | null): Promise<OpenDraft> {
  const { takePassingLock } = await import('../../store/sqlite/index.ts');
  const unlock = takePassingLock(`${draftOf(path)}.lock`);
  if (unlock === undefined) throw takenError(path);
  try {
    const mark = resumable === null ? undefined : await readMark(path, resumable);
    // A mark that does not fit must not remain beside another content.
    if (mark === undefined) await removeMarks(path);
    const handle = await open(draftOf(path), mark === undefined ? 'w' : 'r+', 0o600);
    // What was written after the mark is written again.
    if (mark !== undefined) await handle.truncate(mark.bytes);
    return { handle, mark, unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

function takenError(path: string): PersistenceError {
  const message = `another command is writing ${path} just now; wait for it, or name another file`;
  return new PersistenceError('IO_FAILED', message, { details: { path } });
}

function draftOf(path: string): string {
  return `${path}.part`;
}

function markOf(path: string): string {
  return `${path}.part.mark`;
}

function draftMarkOf(path: string): string {
  return `${markOf(path)}.new`;
}

async function removeMarks(path: string): Promise<void> {
  for (const mark of [draftMarkOf(path), markOf(path)]) await rm(mark, { force: true });
}

/** Undefined if there is nothing to resume. */
async function readMark(path: string, wanted: string): Promise<Mark | undefined> {
  try {
    const { of, key, bytes } = JSON.parse(await readFile(markOf(path), 'utf8')) as Mark;
    const { size } = await stat(draftOf(path));
    const isSound = typeof key === 'string' && Number.isSafeInteger(bytes) && size >= bytes;
    return isSound && of === wanted ? { of, key, bytes } : undefined;
  } catch {
    // No mark, or an incomplete one: start with the first document.
    return undefined;
  }
}

function isWrongPath(error: unknown): error is NodeJS.ErrnoException {
  return ['EACCES', 'EISDIR', 'ENOENT', 'ENOTDIR', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}
