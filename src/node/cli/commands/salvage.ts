import { rmdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isEntglDbError, PersistenceError } from '../../../core/errors/index.ts';
import { isReserved } from '../../../core/ids/index.ts';
import type { SalvageFile } from '../../../store/index.ts';
import { makePrivateFolder, toFileError } from '../../files/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { ExportFile } from '../export-file.ts';
import { plural } from '../format.ts';
import { loadCliConfig, tellWarnings, withStop } from '../open-target.ts';

interface Salvaged {
  readonly collection: string;
  readonly file: string;
  documents: number;
  unreadable: number;
  /** Where the list of keys breaks off, what follows is lost. */
  isCut: boolean;
}

/**
 * Writes what can be read of a database that cannot be opened: for each collection a file that `import` takes. Changes nothing in the
 * database. Exit code 1 if something could not be read.
 */
export async function salvage(run: CommandRun, folder: string): Promise<ExitCode> {
  const { context, globals, output } = run;
  const config = await loadCliConfig(context, globals);
  tellWarnings(run, config);
  const path = config.values['Persistence.DatabasePath'];
  await requireFile(path);
  const target = resolve(context.workingDirectory, folder);
  const { SalvageFile } = await import('../../../store/index.ts');
  const source = new SalvageFile(path);
  const found: Salvaged[] = [];
  try {
    await makePrivateFolder(target).catch((error) => Promise.reject(toFileError(error, target)));
    await withStop(context, async (signal) => {
      for (const collection of source.collections().filter((name) => !isReserved(name)))
        found.push(await writeCollection(source, collection, target, signal));
    });
  } catch (error) {
    // Fails if there is something in it.
    await rmdir(target).catch(() => {});
    throw isEntglDbError(error, 'DISK_FULL') && error.details.path !== path
      ? noSpaceError(target, found, error)
      : error;
  } finally {
    source.close();
  }
  const lines = found.map(lineOf);
  const total = found.reduce((sum, { documents }) => sum + documents, 0);
  await output.answer(
    { path, folder: target, documents: total, collections: found },
    [
      ...lines,
      `Wrote ${plural(total, 'document')} to ${target}; blobs, history and queue are not among them.`,
      `To go on with them alone, move ${path} and what lies beside it away, and \`entgldb import\` each file. If there are peers, let the node fetch all from them instead.`,
    ].join('\n'),
  );
  return found.some(({ unreadable, isCut }) => unreadable > 0 || isCut) ? EXIT.no : EXIT.ok;
}

function noSpaceError(folder: string, { length }: readonly Salvaged[], cause: Error): PersistenceError {
  const written =
    length === 0
      ? 'nothing was written'
      : `${plural(length, 'collection')} in it ${length === 1 ? 'is' : 'are'} complete`;
  const message = `the disk of ${folder} is full; ${written}; free some space there, or name a folder on another disk, and run it again`;
  return new PersistenceError('DISK_FULL', message, { details: { path: folder, collections: length }, cause });
}

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch((error) => Promise.reject(toFileError(error, path)));
  if (found.isFile()) return;
  throw new PersistenceError('IO_FAILED', `${path} is no file; name the folder of the database with --data`);
}

async function writeCollection(
  source: SalvageFile,
  collection: ReturnType<SalvageFile['collections']>[number],
  folder: string,
  signal: AbortSignal,
): Promise<Salvaged> {
  const path = join(folder, `${encodeURIComponent(collection)}.ndjson`);
  const result: Salvaged = { collection, file: path, documents: 0, unreadable: 0, isCut: false };
  const file = await ExportFile.open(path, { resumable: null, signal });
  try {
    for (const { documents, unreadable } of readOn(source.pages(collection), result)) {
      result.documents += documents.length;
      result.unreadable += unreadable;
      await file.write(documents.map(({ key, value }) => `{"key":${JSON.stringify(key)},"value":${value}}\n`).join(''));
    }
    await file.finish();
    return result;
  } catch (error) {
    throw await file.giveUp(error);
  }
}

/** Ends where nothing more can be read. */
function* readOn<T>(pages: Iterable<T>, result: Salvaged): Generator<T> {
  try {
    yield* pages;
  } catch (error) {
    if (!isEntglDbError(error, 'DATABASE_CORRUPT')) throw error;
    result.isCut = true;
  }
}

function lineOf({ collection, documents, unreadable, isCut }: Salvaged): string {
  const lost = unreadable > 0 ? `; ${plural(unreadable, 'document')} cannot be read` : '';
  return `${collection}: ${plural(documents, 'document')}${lost}${isCut ? '; what follows cannot be read' : ''}`;
}
