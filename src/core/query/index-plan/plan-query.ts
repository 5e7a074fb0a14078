import { canonicalJson } from '../canonical-json.ts';
import type { JsonValue } from '../json.ts';
import { isSamePath } from '../path.ts';
import type { Filter, Path, Query, SearchWord, SortField } from '../query.ts';
import { conjunctsOf, constraintOf, constraintOn } from './constraints.ts';
import type { IndexDefinition } from './index-definition.ts';
import { endOf, indexKey, SIGN, textStart, valueKey } from './index-key.ts';
import { type Interval, interval, isWithin, type KeyBounds, point, pointsOf } from './intervals.ts';

/** One way to answer a query: read a part of an index, check what is left, sort if need be. */
export interface IndexPlan {
  readonly index: IndexDefinition;
  /** In order, without overlap. None: nothing can fit. */
  readonly bounds: readonly KeyBounds[];
  /** What the bounds do not settle. */
  readonly residual: Filter;
  /** Whether the entries, read so, come in the order of the query; else they must be sorted. */
  readonly order: 'forward' | 'backward' | 'none';
  /** Where the order begins after `query.after`: only there if `order` is not `none`. */
  readonly afterKey: Uint8Array | undefined;
  /** A document may have several entries within the bounds. */
  readonly mayRepeat: boolean;
  /** Paths that are held to values, and whether the next one is held to a range. */
  readonly narrowed: 'nothing' | 'range' | 'values' | 'values and range';
}

/** More bounds than this are one scan between the first and the last of them. */
const BOUNDS_MAX = 256;

/** All ways to answer a query by one index, the most promising first; none: every document must be looked at. */
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
  // To read a whole index in order pays where only its beginning is wanted.
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
  let values = 0;
  /** For each path the only key that it may have. */
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
    values++;
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
    narrowed: values === 0 ? (hasRange ? 'range' : 'nothing') : hasRange ? 'values and range' : 'values',
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
 * The index gives the order of the sort when its fields, but for those that can have one value only, are those of the sort, all
 * of them in one direction. Fields of the index beyond the sort would break ties otherwise than by key.
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

/** Whether the place to go on after has the values that the filter asks for; a token may come from another filter. */
function isPlaceAmong(only: ReadonlyMap<Path, Uint8Array>, { sort, after }: Query): boolean {
  if (after === undefined) return true;
  return sort.every(({ path }, i) => {
    const key = [...only].find(([each]) => isSamePath(each, path))?.[1];
    return key === undefined || Buffer.compare(key, valueKey(after.values[i])) === 0;
  });
}

/** The index key of the place after which the query goes on. */
function afterKey(paths: readonly Path[], only: ReadonlyMap<Path, Uint8Array>, { sort, after }: Query): Buffer {
  const keys = paths.map((path) => {
    const at = sort.findIndex((field) => isSamePath(field.path, path));
    return only.get(path) ?? valueKey(after!.values[at]);
  });
  return Buffer.concat(keys);
}

/** The best of the parts that ask for an item of the array. */
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

/** By the longest of the words: there are fewest of it, as a rule. */
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

/** A plan by an index that may hold a document several times: under one key it does so once, in order of document keys. */
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

/** Whether every document that fits the parts is in an index of documents that fit `where`. */
function coversAll(where: Filter, parts: readonly Filter[]): boolean {
  return conjunctsOf(where).every(
    (asked) => parts.some((part) => isSameFilter(part, asked)) || isNarrower(parts, asked),
  );
}

/** Whether the parts hold a field to less than `asked` does. */
function isNarrower(parts: readonly Filter[], asked: Filter): boolean {
  if (!('path' in asked)) return false;
  const wide = constraintOn(asked.path, asked);
  const narrow = constraintOf(asked.path, parts);
  return wide?.isExact === true && narrow !== undefined && isWithin(narrow.intervals, wide.intervals);
}

function rest(parts: readonly Filter[], settled: ReadonlySet<Filter>, where: Filter): Filter {
  const known = conjunctsOf(where);
  const left = parts.filter((part) => !settled.has(part) && !known.some((each) => isSameFilter(each, part)));
  if (left.length === 0) return { kind: 'all' };
  return left.length === 1 ? left[0]! : { kind: 'and', filters: left };
}

function isSameFilter(a: Filter, b: Filter): boolean {
  return a.kind === b.kind && canonicalJson(a as unknown as JsonValue) === canonicalJson(b as unknown as JsonValue);
}
