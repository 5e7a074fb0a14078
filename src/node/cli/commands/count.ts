import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { withTarget } from '../open-target.ts';
import { parseFilterArgument } from '../parse-argument.ts';
import { noteIfUnknown } from '../unknown-collection.ts';

export async function count(run: CommandRun, collection: string, filter: string | undefined): Promise<ExitCode> {
  const parsed = parseFilterArgument(filter);
  const documents = await withTarget(run, {}, async (target, signal) => {
    const found = await target.collection(collection).count(parsed, { signal });
    if (found === 0) await noteIfUnknown(run, target, collection);
    return found;
  });
  await run.output.answer({ collection, count: documents }, String(documents));
  return EXIT.ok;
}
