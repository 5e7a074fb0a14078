import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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
  try {
    await pipeline(Readable.from(chunks), createWriteStream(draft, { mode: 0o600, flush: true }));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
