import { canonicalJson } from '../canonical-json.ts';
import type { JsonValue } from '../json.ts';
import { isSamePath } from '../path.ts';
import type { Filter, Path, Query, SearchWord, SortField } from '../query.ts';
import { conjunctsOf, constraintOf, constraintOn } from './constraints.ts';
import type { IndexDefinition } from './index-definition.ts';
import { endOf, indexKey, SIGN, textStart, valueKey } from './index-key.ts';
import { type Interval, interval, isWithin, type KeyBounds, point, pointsOf } from './intervals.ts';

/** One way to answer a query: read part of an index, check the remaining conditions, sort if needed. */
export interface IndexPlan {
  readonly index: IndexDefinition;
  /** The parts of the index to read, in order, without overlap. None: no document can fit. */
  readonly bounds: readonly KeyBounds[];
  /** The conditions that the bounds do not guarantee. */
  readonly residual: Filter;
  /** The direction in which reading the entries gives the order of the query; `none`: documents must be sorted. */
  readonly order: 'forward' | 'backward' | 'none';
  /** The index key of the place `query.after`; undefined without one, or if `order` is `none`. */
  readonly afterKey: Uint8Array | undefined;
  /** Whether a document may have several entries within the bounds. */
  readonly mayRepeat: boolean;
  /** Whether the leading paths are limited to single values, and whether the next one is limited to a range. */
  readonly narrowed: 'nothing' | 'range' | 'values' | 'values and range';
}

/** A path that would make more bounds than this is left to `residual`. */
const BOUNDS_MAX = 256;

/** All ways to answer a query with one index, the most promising first. None: every document must be looked at. */
export function planQuery(query: Query, indexes: readonly IndexDefinition[]): readonly IndexPlan[] {
  const parts = conjunctsOf(query.filter);
  const scored: { readonly plan: IndexPlan; readonly score: number }[] = [];
  for (const index of indexes) {
    if (!coversAll(index.where, parts)) continue;
    const plan = planBy[index.kind](index, query, parts);
    const score = plan === undefined ? 0 : scoreOf(plan, query);
    if (plan !== undefined && score > 0) scored.push({ plan, score });
  }
  return scored.sort((a, b) => b.score - a.score).map(({ plan }) => plan);
}

const NARROWED_SCORE = { nothing: 0, range: 2, values: 4, 'values and range': 6 } as const;

function scoreOf({ index, narrowed, order }: IndexPlan, { limit, sort }: Query): number {
  // Reading a whole index in order pays off only if just its beginning is wanted.
  const ordered =
    order === 'none' || (narrowed === 'nothing' && (limit === Number.POSITIVE_INFINITY || sort.length === 0)) ? 0 : 1;
  return NARROWED_SCORE[narrowed] + ordered + (index.where.kind === 'all' ? 0 : 0.5);
}

const planBy = { values: planByValues, items: planByItems, words: planByWords } as const;

function planByValues(index: IndexDefinition, query: Query, parts: readonly Filter[]): IndexPlan {
  const { paths } = index;
  const settled = new Set<Filter>();
  let prefixes: readonly Buffer[] = [Buffer.of()];
  let bounds: readonly KeyBounds[] | undefined;
  let valuePaths = 0;
  /** For paths with a single possible value: its key. */
  const only = new Map<Path, Uint8Array>();
  for (const path of paths) {
    const constraint = constraintOf(path, parts);
    if (constraint === undefined) break;
    const { intervals } = constraint;
    if (intervals.length * prefixes.length > BOUNDS_MAX) break;
    for (const part of constraint.settled) settled.add(part);
    if (!intervals.every(({ isPoint }) => isPoint)) {
      bounds = within(prefixes, intervals);
      break;
    }
    valuePaths++;
    if (intervals.length === 1) only.set(path, intervals[0]!.from);
    prefixes = prefixes.flatMap((prefix) => intervals.map(({ from }) => Buffer.concat([prefix, from])));
  }
  const hasRange = bounds !== undefined;
  const order = isPlaceAmong(only, query) ? orderOf(paths, only, query.sort) : 'none';
  return {
    index,
    bounds: bounds ?? prefixes.map((prefix) => ({ from: prefix, to: endOf(prefix) })),
    residual: rest(parts, settled, index.where),
    order,
    afterKey: order === 'none' || query.after === undefined ? undefined : afterKey(paths, only, query),
    mayRepeat: false,
    narrowed: valuePaths === 0 ? (hasRange ? 'range' : 'nothing') : hasRange ? 'values and range' : 'values',
  };
}

function within(prefixes: readonly Buffer[], intervals: readonly Interval[]): readonly KeyBounds[] {
  return prefixes.flatMap((prefix) =>
    intervals.map(({ from, to }) => ({
      from: Buffer.concat([prefix, from]),
      to: to === undefined ? endOf(prefix) : Buffer.concat([prefix, to]),
    })),
  );
}

/**
 * The index gives the order of the sort if its fields, leaving aside those with a single possible value, are exactly those
 * of the sort, and all have the same direction. With further fields in the index, ties would not be broken by key.
 */
function orderOf(
  paths: readonly Path[],
  only: ReadonlyMap<Path, Uint8Array>,
  sort: readonly SortField[],
): IndexPlan['order'] {
  const isFixed = (path: Path): boolean => [...only.keys()].some((each) => isSamePath(each, path));
  const wanted = sort.filter(
    ({ path }, i) => !isFixed(path) && sort.findIndex((each) => isSamePath(each.path, path)) === i,
  );
  const given = paths.filter((path) => !only.has(path));
  if (wanted.length !== given.length) return 'none';
  const isSame = given.every((path, i) => isSamePath(path, wanted[i]!.path));
  const isBackward = wanted[0]?.descending ?? false;
  if (!isSame || wanted.some(({ descending }) => descending !== isBackward)) return 'none';
  return isBackward ? 'backward' : 'forward';
}

/** Whether the place to continue after has the values that the filter asks for. A token may come from another filter. */
function isPlaceAmong(only: ReadonlyMap<Path, Uint8Array>, { sort, after }: Query): boolean {
  if (after === undefined) return true;
  return sort.every(({ path }, i) => {
    const key = [...only].find(([each]) => isSamePath(each, path))?.[1];
    return key === undefined || Buffer.compare(key, valueKey(after.values[i])) === 0;
  });
}

/** The index key of the place after which the query continues. */
function afterKey(paths: readonly Path[], only: ReadonlyMap<Path, Uint8Array>, { sort, after }: Query): Buffer {
  const keys = paths.map((path) => {
    const at = sort.findIndex((field) => isSamePath(field.path, path));
    return only.get(path) ?? valueKey(after!.values[at]);
  });
  return Buffer.concat(keys);
}

/** A plan by the best of the conditions on items of the array: one that asks for single values, if there is any. */
function planByItems(index: IndexDefinition, query: Query, parts: readonly Filter[]): IndexPlan | undefined {
  let best: { readonly intervals: readonly Interval[]; readonly settled: readonly Filter[] } | undefined;
  for (const part of parts) {
    const found = itemConstraint(index, part);
    if (found === undefined || found.intervals.length > BOUNDS_MAX) continue;
    if (best === undefined || (!isAllPoints(best.intervals) && isAllPoints(found.intervals))) best = found;
  }
  return best && entriesPlan(index, query, parts, best.intervals, new Set(best.settled));
}

function itemConstraint({ paths, itemPath }: IndexDefinition, part: Filter) {
  if (part.kind === 'contains' && itemPath.length === 0 && isSamePath(part.path, paths[0]!)) {
    const keys = [
      valueKey(part.value as JsonValue),
      ...(typeof part.value === 'string' ? [Buffer.of(SIGN.noArray)] : []),
    ];
    return { intervals: pointsOf(keys), settled: [] };
  }
  if (part.kind !== 'elem' || !isSamePath(part.path, paths[0]!)) return undefined;
  const ofItem = conjunctsOf(part.filter);
  const found = constraintOf(itemPath, ofItem);
  return found && { intervals: found.intervals, settled: found.settled.length === ofItem.length ? [part] : [] };
}

/** A plan by the longest of the words, which is usually the rarest. */
function planByWords(index: IndexDefinition, query: Query, parts: readonly Filter[]): IndexPlan | undefined {
  for (const part of parts) {
    if (part.kind !== 'words' || !part.paths.every((path) => index.paths.some((held) => isSamePath(held, path))))
      continue;
    const word = [...part.words].sort((a, b) => b.word.length - a.word.length)[0]!;
    const isSettled = part.words.length === 1 && part.paths.length === index.paths.length;
    return entriesPlan(index, query, parts, [wordInterval(word)], new Set(isSettled ? [part] : []));
  }
  return undefined;
}

function wordInterval({ word, isPrefix }: SearchWord): Interval {
  const start = textStart(word);
  return isPrefix ? interval(start, endOf(start)) : point(indexKey([word]));
}

/** A plan by an index that may hold a document several times. Under one key it holds each once, in order of document keys. */
function entriesPlan(
  index: IndexDefinition,
  query: Query,
  parts: readonly Filter[],
  intervals: readonly Interval[],
  settled: ReadonlySet<Filter>,
): IndexPlan {
  const isOneKey = intervals.length === 1 && isAllPoints(intervals);
  const isOrdered = isOneKey && query.sort.length === 0;
  return {
    index,
    bounds: intervals,
    residual: rest(parts, settled, index.where),
    order: isOrdered ? 'forward' : 'none',
    afterKey: isOrdered && query.after !== undefined ? intervals[0]!.from : undefined,
    mayRepeat: !isOneKey,
    narrowed: isAllPoints(intervals) ? 'values' : 'range',
  };
}

function isAllPoints(intervals: readonly Interval[]): boolean {
  return intervals.every(({ isPoint }) => isPoint);
}

/** Whether every document that fits the parts also fits `where`, and so is in the index. */
function coversAll(where: Filter, parts: readonly Filter[]): boolean {
  return conjunctsOf(where).every(
    (asked) => parts.some((part) => isSameFilter(part, asked)) || isNarrower(parts, asked),
  );
}

/** Whether the parts limit a field at least as much as `asked` does. */
function isNarrower(parts: readonly Filter[], asked: Filter): boolean {
  if (!('path' in asked)) return false;
  const wide = constraintOn(asked.path, asked);
  const narrow = constraintOf(asked.path, parts);
  return wide?.isExact === true && narrow !== undefined && isWithin(narrow.intervals, wide.intervals);
}

/** The parts that neither the bounds nor the index's own filter guarantee. */
function rest(parts: readonly Filter[], settled: ReadonlySet<Filter>, where: Filter): Filter {
  const known = conjunctsOf(where);
  const left = parts.filter((part) => !settled.has(part) && !known.some((each) => isSameFilter(each, part)));
  if (left.length === 0) return { kind: 'all' };
  return left.length === 1 ? left[0]! : { kind: 'and', filters: left };
}

function isSameFilter(a: Filter, b: Filter): boolean {
  return a.kind === b.kind && canonicalJson(a as unknown as JsonValue) === canonicalJson(b as unknown as JsonValue);
}
