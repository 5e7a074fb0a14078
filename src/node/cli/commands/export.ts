import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigurationError } from '../../../core/errors/index.ts';
import { toFileError } from '../../files/index.ts';
import { exportDocuments } from '../../transfer/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { plural } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { startProgress } from '../progress.ts';

/** To the standard output, or to a file that is complete as soon as it has its name. */
export async function exportCommand(run: CommandRun, collection: string, file: string | undefined): Promise<ExitCode> {
  const { context, output } = run;
  const toOutput = file === undefined || file === '-';
  let exported = 0;
  await withTarget(run, {}, async (target) => {
    const documents = target.collection(collection);
    const progress = await startProgress(context, output, toOutput ? 0 : await documents.count());
    const chunks = exportDocuments(documents, {
      onProgress: (count) => {
        exported = count;
        progress.update(count, count);
      },
    });
    try {
      if (toOutput) for await (const chunk of chunks) await output.raw(chunk);
      else await writeFile(chunks, resolve(context.workingDirectory, file));
    } finally {
      progress.stop();
    }
  });
  if (toOutput) output.note(`Exported ${plural(exported, 'document')} of ${collection}.`);
  else
    await output.answer(
      { collection, file, exported },
      `Exported ${plural(exported, 'document')} of ${collection} to ${file}.`,
    );
  return EXIT.ok;
}

async function writeFile(chunks: AsyncIterable<string>, path: string): Promise<void> {
  const draft = `${path}.part`;
  const file = await openDraft(draft, path);
  try {
    await pipeline(Readable.from(chunks), file.createWriteStream({ flush: true }));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw toFileError(error, path);
  }
}

/** FILE_INVALID where the user named what cannot be a file. */
async function openDraft(draft: string, path: string): Promise<FileHandle> {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    return await open(draft, 'w', 0o600);
  } catch (cause) {
    if (!isWrongPath(cause)) throw toFileError(cause, path);
    throw new ConfigurationError('FILE_INVALID', `cannot write ${path} (${cause.code}); check the path`, { cause });
  }
}

function isWrongPath(error: unknown): error is NodeJS.ErrnoException {
  return ['EACCES', 'EISDIR', 'ENOENT', 'ENOTDIR', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}
