import { DocumentNotFoundError } from '../../../core/errors/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { printable } from '../format.ts';
import { withTarget } from '../open-target.ts';

export async function deleteDocument(run: CommandRun, collection: string, key: string): Promise<ExitCode> {
  const existed = await withTarget(run, {}, (target) => target.collection(collection).delete(key));
  if (!existed) throw new DocumentNotFoundError(collection, key);
  await run.output.answer({ collection, key, deleted: true }, `Deleted ${printable(key)} from ${collection}.`);
  return EXIT.ok;
}
