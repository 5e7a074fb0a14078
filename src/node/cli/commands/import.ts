import { constants, createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { abortableItems } from '../../../core/clock/index.ts';
import { ConfigurationError, EntglDbError, isEntglDbError } from '../../../core/errors/index.ts';
import { fileProblem, toFileError } from '../../files/index.ts';
import { type ImportProgress, importDocuments } from '../../transfer/index.ts';
import type { CliContext, CommandRun } from '../cli-context.ts';
import { CommandStopped, EXIT, type ExitCode } from '../exit-code.ts';
import { formatCount, plural } from '../format.ts';
import { ImportMarkFile } from '../import-mark.ts';
import { loadCliConfig, withTarget } from '../open-target.ts';
import { type Progress, startProgress } from '../progress.ts';
import { parseDelimiter, parseFormat, type TransferArguments } from '../transfer-options.ts';

export interface ImportArguments extends TransferArguments {
  readonly keyField?: string;
  readonly skipBad?: boolean;
  readonly allText?: boolean;
}

interface Source {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes of the whole source; 0 if unknown. */
  readonly total: number;
}

/** Exit code 2 if a line was bad, even with `--skip-bad`, where all other lines are imported. */
export async function importCommand(
  run: CommandRun,
  collection: string,
  file: string,
  args: ImportArguments,
): Promise<ExitCode> {
  const { context, output } = run;
  const { keyField } = args;
  if (keyField === '') throw new ConfigurationError('USAGE', '--key-field is empty; name the field that holds the key');
  const format = parseFormat(args.format, file);
  const delimiter = parseDelimiter(args.delimiter, file);
  const { limits } = await loadCliConfig(context, run.globals);
  const source = await openSource(run, file);
  const isResumable = args.resume === true;
  if (isResumable && file === '-')
    throw new ConfigurationError('USAGE', '--resume needs a file; the standard input cannot be read again');
  const isAllText = args.allText === true;
  const watch = new ImportWatch(await startProgress(context, output, source.total), context.stderr);
  let afterLine = 0;
  const startMs = context.clock.monotonic();
  try {
    const imported = await withTarget(run, { create: true }, async (target, signal) => {
      if (isResumable) {
        const { replica } = await target.status();
        const identity = { collection, replica, format, delimiter, keyField, isAllText };
        afterLine = await watch.resume(await ImportMarkFile.beside(resolve(context.workingDirectory, file), identity));
      }
      return importDocuments(watch.counted(abortableItems(source.bytes, signal)), target.collection(collection), {
        ...{ limits, format, delimiter, keyField, afterLine, isAllText, signal },
        onProgress: (progress) => watch.onProgress(progress),
        ...(args.skipBad === true ? { onBadLine: (error: Error) => watch.onBadLine(error) } : {}),
      });
    });
    await watch.done();
    const seconds = (context.clock.monotonic() - startMs) / 1000;
    const speed = `${formatCount(Math.round(imported / Math.max(seconds, 0.001)))} a second`;
    const resumed = afterLine === 0 ? '' : `, behind line ${formatCount(afterLine)}`;
    await output.answer(
      { collection, imported, skipped: watch.skipped, seconds, afterLine },
      `Imported ${plural(imported, 'document')} into ${collection}${resumed} (${speed}).`,
    );
    return watch.skipped === 0 ? EXIT.ok : EXIT.usage;
  } catch (error) {
    throw tellWritten(error, watch.written, isResumable);
  } finally {
    await watch.stop();
  }
}

/** Follows an import: shows its progress, and keeps the mark by which it can be resumed. */
class ImportWatch {
  /** How many documents were imported. */
  written = 0;
  /** How many lines were left out. */
  skipped = 0;
  readonly #progress: Progress;
  readonly #stderr: CliContext['stderr'];
  #mark: ImportMarkFile | undefined;
  #bytesRead = 0;
  #marking: Promise<void> = Promise.resolve();
  #markProblem: unknown;

  constructor(progress: Progress, stderr: CliContext['stderr']) {
    this.#progress = progress;
    this.#stderr = stderr;
  }

  /** Keeps this mark from now on, and resolves with the line after which to go on. */
  resume(mark: ImportMarkFile): Promise<number> {
    this.#mark = mark;
    return mark.read();
  }

  async *counted(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.#bytesRead += chunk.length;
      yield chunk;
    }
  }

  /** Throws what kept an earlier mark from being written: an import that cannot be resumed must not go on as if it could. */
  onProgress({ imported, line }: ImportProgress): void {
    this.written = imported;
    this.#progress.update(this.#bytesRead, imported);
    if (this.#markProblem !== undefined) throw this.#markProblem;
    const mark = this.#mark;
    if (mark === undefined) return;
    this.#marking = this.#marking
      .then(() => mark.write(line))
      .catch((error: unknown) => {
        this.#markProblem = error;
      });
  }

  onBadLine(error: Error): void {
    this.skipped++;
    this.#stderr.write(`entgldb: ${error.message}; left out\n`);
  }

  /** Everything was imported: removes the mark. */
  async done(): Promise<void> {
    await this.#marking;
    await this.#mark?.remove();
    this.#progress.stop();
  }

  /** Waits until the mark is written, however the command ends. */
  async stop(): Promise<void> {
    this.#progress.stop();
    await this.#marking;
  }
}

function tellWritten(error: unknown, written: number, isResumable: boolean): unknown {
  if (error instanceof CommandStopped) {
    const next = isResumable
      ? 'run it again with --resume to go on there'
      : 'import the file again; with --resume, an import goes on where it was stopped';
    const message = `stopped after ${plural(written, 'document')} ${written === 1 ? 'was' : 'were'} imported; ${next}`;
    return new CommandStopped(error.signal, message, { imported: written });
  }
  if (written === 0 || !isEntglDbError(error)) return error;
  const text = `${plural(written, 'document')} before it ${written === 1 ? 'was' : 'were'} imported; import the file again when this is put right`;
  const { code, reason, message, details } = error;
  return new EntglDbError(code, reason, `${message}; ${text}`, {
    details: { ...details, imported: written },
    cause: error,
  });
}

async function openSource({ context }: CommandRun, file: string): Promise<Source> {
  if (file === '-') return { bytes: context.stdin, total: 0 };
  const path = resolve(context.workingDirectory, file);
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    await access(path, constants.R_OK);
    return { bytes: readFrom(path), total: found.size };
  } catch (cause) {
    const message = `cannot read ${path}: ${fileProblem(cause)}; check the path`;
    throw new ConfigurationError('FILE_NOT_FOUND', message, { cause });
  }
}

async function* readFrom(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path);
  } catch (error) {
    throw toFileError(error, path);
  }
}
