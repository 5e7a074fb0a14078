import { constants, createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigurationError, isEntglDbError, PersistenceError } from '../../../core/errors/index.ts';
import { fileProblem, toFileError } from '../../files/index.ts';
import { importDocuments } from '../../transfer/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatCount, plural } from '../format.ts';
import { ImportMarkFile } from '../import-mark.ts';
import { loadCliConfig, withTarget } from '../open-target.ts';
import { startProgress } from '../progress.ts';
import { parseDelimiter, parseFormat, type TransferArguments } from '../transfer-options.ts';

export interface ImportArguments extends TransferArguments {
  readonly keyField?: string;
  readonly skipBad?: boolean;
  readonly allText?: boolean;
}

interface Source {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** 0: not known. */
  readonly total: number;
}

/** Exit code 2 when a line was bad, with `--skip-bad` too: then the others are in. */
export async function importCommand(
  run: CommandRun,
  collection: string,
  file: string,
  args: ImportArguments,
): Promise<ExitCode> {
  const { context, output } = run;
  const { keyField, skipBad } = args;
  if (keyField === '') throw new ConfigurationError('USAGE', '--key-field is empty; name the field that holds the key');
  const format = parseFormat(args.format, file);
  const delimiter = parseDelimiter(args.delimiter, file);
  const { limits } = await loadCliConfig(context, run.globals);
  const source = await openSource(run, file);
  const mark = args.resume === true ? await markBeside(run, file, collection) : undefined;
  const afterLine = (await mark?.read()) ?? 0;
  const progress = await startProgress(context, output, source.total);
  let bytesRead = 0;
  let written = 0;
  let skipped = 0;
  const startMs = context.clock.monotonic();
  const onBadLine = (error: Error): void => {
    skipped++;
    context.stderr.write(`entgldb: ${error.message}; left out\n`);
  };
  const bytes = counted(source.bytes, (count) => {
    bytesRead += count;
  });
  let marking: Promise<void> = Promise.resolve();
  try {
    const imported = await withTarget(run, { create: true }, (target) =>
      importDocuments(bytes, target.collection(collection), {
        limits,
        format,
        delimiter,
        keyField,
        afterLine,
        isAllText: args.allText === true,
        onProgress: ({ imported, line }) => {
          written = imported;
          progress.update(bytesRead, imported);
          if (mark !== undefined) marking = marking.then(() => mark.write(line));
        },
        ...(skipBad === true ? { onBadLine } : {}),
      }),
    );
    await marking;
    await mark?.remove();
    progress.stop();
    const seconds = (context.clock.monotonic() - startMs) / 1000;
    const speed = `${formatCount(Math.round(imported / Math.max(seconds, 0.001)))} a second`;
    const resumed = afterLine === 0 ? '' : `, behind line ${formatCount(afterLine)}`;
    await output.answer(
      { collection, imported, skipped, seconds, afterLine },
      `Imported ${plural(imported, 'document')} into ${collection}${resumed} (${speed}).`,
    );
    return skipped === 0 ? EXIT.ok : EXIT.usage;
  } catch (error) {
    throw tellWritten(error, written);
  } finally {
    progress.stop();
    // What the mark says must be in the file before the command ends, whichever way it ends.
    await marking.catch(() => {});
  }
}

function tellWritten(error: unknown, written: number): unknown {
  if (written === 0 || !isEntglDbError(error, 'PERSISTENCE_ERROR')) return error;
  const text = `${plural(written, 'document')} before it were imported; import the file again when this is put right`;
  const { reason, message, details } = error as PersistenceError;
  return new PersistenceError(reason, `${message}; ${text}`, {
    details: { ...details, imported: written },
    cause: error,
  });
}

function markBeside({ context }: CommandRun, file: string, collection: string): Promise<ImportMarkFile> {
  if (file !== '-') return ImportMarkFile.beside(resolve(context.workingDirectory, file), collection);
  throw new ConfigurationError('USAGE', '--resume needs a file; the standard input cannot be read again');
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

async function* counted(bytes: AsyncIterable<Uint8Array>, add: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    add(chunk.length);
    yield chunk;
  }
}
