import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigurationError } from '../../../core/errors/index.ts';
import { fileProblem } from '../../files/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { ExportFile } from '../export-file.ts';
import { formatBytes, plural } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { parseWhole } from '../parse-argument.ts';

/** Minimum grace of a blob without a reference, days. */
const DAYS_MIN = 7;

/** Stores a file or the standard input, and prints the reference for a document. */
export async function putBlob(run: CommandRun, file: string, { type }: { readonly type?: string }): Promise<ExitCode> {
  const { context, output } = run;
  const source = file === '-' ? context.stdin : await openFile(resolve(context.workingDirectory, file));
  const ref = await withTarget(run, { create: true }, ({ blobs }, stop) => blobs.put(source, type, stop));
  await output.answer(ref, JSON.stringify(ref));
  return EXIT.ok;
}

/** Writes a blob to the standard output, or to a file that appears under its name when it is complete. */
export async function getBlob(run: CommandRun, name: string, file: string | undefined): Promise<ExitCode> {
  const { context, output } = run;
  const id = parseBlobId(name);
  await withTarget(run, {}, async ({ blobs }, stop) => {
    const content = blobs.get(id, stop);
    if (file === undefined || file === '-') for await (const bytes of content) await output.raw(bytes);
    else await toFile(content, resolve(context.workingDirectory, file), stop);
  });
  if (file !== undefined && file !== '-') await output.answer({ blob: id, file }, `Wrote ${id} to ${file}.`);
  return EXIT.ok;
}

/** Prints the blobs as they come, since there may be many; with `--json` they are the list of one object. */
export async function listBlobs(run: CommandRun): Promise<ExitCode> {
  const { output } = run;
  let [count, bytes] = [0, 0];
  await withTarget(run, {}, async ({ blobs }, stop) => {
    for await (const { $blob, size } of blobs.list(stop)) {
      const json = `${count === 0 ? '{"blobs":[' : ','}${JSON.stringify({ $blob, size })}`;
      await output.raw(output.isJson ? json : `${$blob}  ${formatBytes(size)}\n`);
      count++;
      bytes += size;
    }
  });
  if (output.isJson) await output.raw(count === 0 ? '{"blobs":[]}\n' : ']}\n');
  output.note(`${plural(count, 'blob')}, ${formatBytes(bytes)}`);
  return EXIT.ok;
}

/** Deletes blobs that no document refers to any more. */
export async function collectBlobs(run: CommandRun, { days }: { readonly days: string }): Promise<ExitCode> {
  const olderThanDays = parseWhole(days, '--days', DAYS_MIN);
  const done = await withTarget(run, {}, ({ blobs }, stop) => blobs.collect(olderThanDays, stop));
  const verb = done.waiting === 1 ? 'waits' : 'wait';
  const waiting = `${plural(done.waiting, 'blob')} without a reference ${verb} until ${olderThanDays} days have passed`;
  await run.output.answer(done, `Deleted ${plural(done.blobs, 'blob')}, ${formatBytes(done.bytes)}; ${waiting}.`);
  return EXIT.ok;
}

/** Accepts an id, or the reference in a document. */
function parseBlobId(text: string): string {
  const id = /^(?:\{.*"\$blob"\s*:\s*")?([0-9a-f]{64})(?:".*\})?$/s.exec(text.trim())?.[1];
  if (id !== undefined) return id;
  throw new ConfigurationError(
    'USAGE',
    `${JSON.stringify(text.slice(0, 80))} names no blob; give its 64 hex digits, or the reference of a document`,
  );
}

/** Called before the database is opened: an unreadable file must not create one. */
async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  try {
    const handle = await open(path);
    if (!(await handle.stat()).isDirectory()) return handle.createReadStream();
    await handle.close();
    throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  } catch (cause) {
    throw new ConfigurationError('FILE_INVALID', `cannot read ${path}: ${fileProblem(cause)}; check the path`, {
      cause,
    });
  }
}

async function toFile(content: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): Promise<void> {
  const file = await ExportFile.open(path, { resumable: null, signal });
  try {
    for await (const bytes of content) await file.write(bytes);
    await file.finish();
  } catch (error) {
    throw await file.giveUp(error);
  }
}
