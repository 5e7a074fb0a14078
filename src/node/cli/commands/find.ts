import { type FindOptions, type PageOptions, projectDocument } from '../../../database/index.ts';
import type { QueryPlan } from '../../../store/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { plural } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { parseFields, parseFilterArgument, parseSort, parseWhole } from '../parse-argument.ts';

export interface FindArguments {
  readonly sort?: string;
  readonly skip?: string;
  readonly limit?: string;
  readonly fields?: string;
  readonly after?: string;
  readonly explain?: boolean;
}

export async function find(
  run: CommandRun,
  collection: string,
  filter: string | undefined,
  { sort, skip, limit, fields, after, explain }: FindArguments,
): Promise<ExitCode> {
  const parsed = parseFilterArgument(filter);
  const kept = fields === undefined ? undefined : parseFields(fields);
  const options: FindOptions & PageOptions = {
    ...(sort === undefined ? {} : { sort: parseSort(sort) }),
    ...(skip === undefined ? {} : { skip: parseWhole(skip, '--skip', 0) }),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : parseWhole(limit, '--limit', 1),
    ...(after === undefined ? {} : { after }),
  };
  if (explain === true) return explainTo(run, collection, parsed, options);
  const page = await withTarget(run, {}, (target) => target.collection(collection).findPage(parsed, options));
  const found = page.entries.map(([key, value]) => ({
    key,
    value: kept === undefined ? value : projectDocument(value, kept),
  }));
  if (run.output.isJson) await run.output.answer(found, '');
  else {
    for (const { key, value } of found) await run.output.raw(`${key}  ${JSON.stringify(value)}\n`);
    run.output.note(plural(found.length, 'document'));
    if (page.next !== null) run.output.note(`there are more: --after ${page.next}`);
  }
  return EXIT.ok;
}

async function explainTo(
  run: CommandRun,
  collection: string,
  filter: object | undefined,
  { sort, limit }: FindOptions,
): Promise<ExitCode> {
  const options: FindOptions = { ...(sort && { sort }), ...(Number.isFinite(limit) && { limit: limit! }) };
  const plan = await withTarget(run, {}, (target) => target.collection(collection).explain(filter, options));
  await run.output.answer(plan, planText(plan));
  return EXIT.ok;
}

/** A query plan as a sentence. */
function planText({ index, range, ranges, filtered, sort, estimatedRows }: QueryPlan): string {
  const more = ranges > 1 ? `, and ${ranges - 1} more ranges` : '';
  const read =
    index === null
      ? 'Looks at every document of the collection'
      : `Reads index ${JSON.stringify(index)} ${range === null ? 'from its beginning' : range}${more}`;
  const sorted = { index: 'in the order of the index', memory: 'then sorts what it found', none: 'in order of keys' };
  return `${read}: about ${plural(estimatedRows, 'document')}${filtered ? ', each held against the filter' : ''}, ${sorted[sort]}.`;
}
