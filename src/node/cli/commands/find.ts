import { type FindOptions, type PageOptions, projectDocument, type WaitOptions } from '../../../database/index.ts';
import type { QueryPlan } from '../../../store/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { plural, printable } from '../format.ts';
import type { DocumentAccess } from '../node-target.ts';
import { withTarget } from '../open-target.ts';
import { parseFields, parseFilterArgument, parseSort, parseWhole } from '../parse-argument.ts';
import { noteIfUnknown } from '../unknown-collection.ts';

/** Documents that are read and printed at a time: few enough for memory, many enough for a filter whose index is read for each page. */
const PAGE_DOCUMENTS = 10_000;

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
  const options: FindOptions & PageOptions & { readonly limit: number } = {
    ...(sort === undefined ? {} : { sort: parseSort(sort) }),
    ...(skip === undefined ? {} : { skip: parseWhole(skip, '--skip', 0) }),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : parseWhole(limit, '--limit', 1),
    ...(after === undefined ? {} : { after }),
  };
  if (explain === true) return explainTo(run, collection, parsed, options);
  const { count, next } = await withTarget(run, {}, async (target, signal) => {
    const found = await printPages(run, target.collection(collection), parsed, { ...options, signal }, kept);
    if (found.count === 0) await noteIfUnknown(run, target, collection);
    return found;
  });
  run.output.note(plural(count, 'document'));
  if (next !== null) run.output.aside({ next }, `there are more: --after ${next}`);
  return EXIT.ok;
}

/** Prints what is found page by page, so that memory does not grow with it. A sort without an index would be repeated for each page. */
async function printPages(
  { output }: CommandRun,
  documents: Pick<DocumentAccess, 'findPage'>,
  filter: object | undefined,
  { skip = 0, limit, after, sort, signal }: FindOptions & PageOptions & WaitOptions & { readonly limit: number },
  kept: readonly string[] | undefined,
): Promise<{ readonly count: number; readonly next: string | null }> {
  let count = 0;
  let next = after ?? null;
  do {
    const page = await documents.findPage(filter, {
      limit: sort === undefined ? Math.min(PAGE_DOCUMENTS, limit - count) : limit,
      ...(count === 0 ? { skip } : {}),
      ...(next === null ? {} : { after: next }),
      ...(sort === undefined ? {} : { sort }),
      ...(signal === undefined ? {} : { signal }),
    });
    const lines = page.entries.map(([key, stored], i) => {
      const value = kept === undefined ? stored : projectDocument(stored, kept);
      if (!output.isJson) return `${printable(`${key}  ${JSON.stringify(value)}`)}\n`;
      return `${count + i === 0 ? '[' : ','}${JSON.stringify({ key, value })}`;
    });
    await output.raw(lines.join(''));
    count += lines.length;
    next = page.next;
  } while (next !== null && count < limit);
  if (output.isJson) await output.raw(count === 0 ? '[]\n' : ']\n');
  return { count, next };
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
