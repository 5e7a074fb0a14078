import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { withTarget } from '../open-target.ts';
import { parseFilterArgument } from '../parse-argument.ts';

export async function count(run: CommandRun, collection: string, filter: string | undefined): Promise<ExitCode> {
  const parsed = parseFilterArgument(filter);
  const documents = await withTarget(run, {}, (target, signal) =>
    target.collection(collection).count(parsed, { signal }),
  );
  await run.output.answer({ collection, count: documents }, String(documents));
  return EXIT.ok;
}
