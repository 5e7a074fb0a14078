import { resolve } from 'node:path';
import { abortable } from '../../../core/clock/index.ts';
import { ConfigurationError } from '../../../core/errors/index.ts';
import { type ExportOptions, type ExportSource, exportDocuments, fieldsOf } from '../../transfer/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { ExportFile } from '../export-file.ts';
import { plural } from '../format.ts';
import type { NodeTarget } from '../node-target.ts';
import { withTarget } from '../open-target.ts';
import { startProgress } from '../progress.ts';
import { parseDelimiter, parseFormat, type TransferArguments } from '../transfer-options.ts';
import { noteIfUnknown } from '../unknown-collection.ts';

export interface ExportArguments extends TransferArguments {
  readonly columns?: string;
  readonly versions?: boolean;
}

/** Exports to the standard output, or to a file that appears under its name when it is complete. */
export async function exportCommand(
  run: CommandRun,
  collection: string,
  file: string | undefined,
  args: ExportArguments,
): Promise<ExitCode> {
  const { context, output } = run;
  const toOutput = file === undefined || file === '-';
  const options = optionsOf(args, file, toOutput);
  let exported = 0;
  await withTarget(run, {}, async (target, signal) => {
    const documents = args.versions === true ? target.versionedCollection(collection) : target.collection(collection);
    const progress = await startProgress(
      context,
      output,
      toOutput ? 0 : await target.collection(collection).count({}, { signal }),
    );
    const onProgress: ExportOptions['onProgress'] = (made) => {
      exported = made.exported;
      progress.update(exported, exported);
    };
    try {
      const all = { ...options, onProgress, signal };
      if (toOutput)
        for await (const chunk of exportDocuments(documents, all)) await abortable(output.raw(chunk), signal);
      else {
        const path = resolve(context.workingDirectory, file);
        await toFile(documents, path, all, (columns) => describeExport(target, collection, args, { ...all, columns }));
      }
    } finally {
      progress.stop();
    }
    if (exported === 0) await noteIfUnknown(run, target, collection);
  });
  if (toOutput) output.note(`Exported ${plural(exported, 'document')} of ${collection}.`);
  else
    await output.answer(
      { collection, file, exported },
      `Exported ${plural(exported, 'document')} of ${collection} to ${file}.`,
    );
  return EXIT.ok;
}

function optionsOf(args: ExportArguments, file: string | undefined, toOutput: boolean): ExportOptions {
  const format = parseFormat(args.format, file);
  const delimiter = parseDelimiter(args.delimiter, file);
  if (args.versions === true && format === 'csv')
    throw new ConfigurationError('USAGE', '--versions needs NDJSON; a table has no place for them');
  if (args.resume === true && toOutput) throw new ConfigurationError('USAGE', '--resume needs a file to go on with');
  const columns = args.columns?.split(',').map((name) => name.trim());
  if (columns?.includes('') === true)
    throw new ConfigurationError('USAGE', '--columns has an empty name; name fields with commas, as in name,price');
  return { format, delimiter, columns };
}

/** All that decides the content of the file; null: it is not to be resumed. */
async function describeExport(
  target: NodeTarget,
  collection: string,
  { resume, versions }: ExportArguments,
  { format, delimiter, columns }: ExportOptions,
): Promise<string | null> {
  if (resume !== true) return null;
  const { replica } = await target.status();
  return JSON.stringify({ replica, collection, format, delimiter, columns, versions: versions === true });
}

async function toFile(
  documents: ExportSource,
  path: string,
  given: ExportOptions & { readonly signal: AbortSignal },
  describe: (columns: ExportOptions['columns']) => Promise<string | null>,
): Promise<void> {
  const { signal } = given;
  const columns = given.format === 'csv' ? (given.columns ?? (await fieldsOf(documents, signal))) : undefined;
  const options = { ...given, columns };
  const file = await ExportFile.open(path, { resumable: await describe(columns), signal });
  try {
    let lastKey = file.after;
    const onProgress: ExportOptions['onProgress'] = (made) => {
      lastKey = made.key;
      options.onProgress?.(made);
    };
    for await (const chunk of exportDocuments(documents, { ...options, after: file.after, onProgress })) {
      // A chunk's progress is reported when the next chunk is requested, so this is the last key that is in the file.
      if (lastKey !== undefined) await file.mark(lastKey);
      await file.write(chunk);
    }
    await file.finish();
  } catch (error) {
    throw await file.giveUp(error);
  }
}
