import type { FindOptions } from '../../../database/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { plural } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { parseFilterArgument, parseSort, parseWhole } from '../parse-argument.ts';

export interface FindArguments {
  readonly sort?: string;
  readonly skip?: string;
  readonly limit?: string;
}

export async function find(
  run: CommandRun,
  collection: string,
  filter: string | undefined,
  { sort, skip, limit }: FindArguments,
): Promise<ExitCode> {
  const parsed = parseFilterArgument(filter);
  const options: FindOptions = {
    ...(sort === undefined ? {} : { sort: parseSort(sort) }),
    ...(skip === undefined ? {} : { skip: parseWhole(skip, '--skip', 0) }),
    ...(limit === undefined ? {} : { limit: parseWhole(limit, '--limit', 1) }),
  };
  const found = await withTarget(run, {}, (target) => target.collection(collection).findEntries(parsed, options));
  if (run.output.isJson)
    await run.output.answer(
      found.map(([key, value]) => ({ key, value })),
      '',
    );
  else {
    for (const [key, value] of found) await run.output.raw(`${key}  ${JSON.stringify(value)}\n`);
    run.output.note(plural(found.length, 'document'));
  }
  return EXIT.ok;
}
