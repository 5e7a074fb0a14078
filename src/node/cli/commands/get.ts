import { DocumentNotFoundError } from '../../../core/errors/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { withTarget } from '../open-target.ts';

export async function get(run: CommandRun, collection: string, key: string): Promise<ExitCode> {
  const value = await withTarget(run, {}, (target) => target.collection(collection).get(key));
  if (value === undefined) throw new DocumentNotFoundError(collection, key);
  await run.output.answer(value, JSON.stringify(value, null, 2));
  return EXIT.ok;
}
