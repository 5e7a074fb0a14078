import { ConfigurationError } from '../../../core/errors/index.ts';
import type { IndexOptions } from '../../../core/query/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatTable } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { parseJsonObject } from '../parse-argument.ts';

export interface AddIndexArguments {
  readonly name?: string;
  readonly multi?: boolean;
  readonly unique?: boolean;
  readonly fullText?: boolean;
  readonly where?: string;
}

export async function listIndexes(run: CommandRun, collection: string): Promise<ExitCode> {
  const indexes = await withTarget(run, {}, (target) => target.collection(collection).indexes());
  const rows = indexes.map(({ name, on, state, progress }) => [
    name,
    on.join(', '),
    state === 'ready' ? state : `${state}, ${Math.floor(progress * 100)} %`,
  ]);
  const text = rows.length === 0 ? `No indexes on ${collection}.` : formatTable(['NAME', 'ON', 'STATE'], rows);
  await run.output.answer({ indexes }, text);
  return EXIT.ok;
}

/** Makes an index, and resolves when it is built. */
export async function addIndex(
  run: CommandRun,
  collection: string,
  on: readonly string[],
  { where, ...flags }: AddIndexArguments,
): Promise<ExitCode> {
  if (on.includes(''))
    throw new ConfigurationError('USAGE', 'a PATH is empty; name fields as in `index add users city age`');
  const index: IndexOptions = {
    on,
    ...flags,
    ...(where === undefined ? {} : { where: parseJsonObject(where, '--where') }),
  };
  const made = await withTarget(run, {}, (target, signal) =>
    target.collection(collection).ensureIndex(index, { signal }),
  );
  await run.output.answer(made, `Index ${made.name} on ${collection} is ${made.state}.`);
  return EXIT.ok;
}

export async function removeIndex(run: CommandRun, collection: string, name: string): Promise<ExitCode> {
  const removed = await withTarget(run, {}, (target) => target.collection(collection).dropIndex(name));
  const text = removed ? `Removed index ${name} of ${collection}.` : `There is no index ${name} on ${collection}.`;
  await run.output.answer({ collection, name, removed }, text);
  return removed ? EXIT.ok : EXIT.no;
}
