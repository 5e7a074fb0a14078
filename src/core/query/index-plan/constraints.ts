import type { JsonValue } from '../json.ts';
import { isSamePath } from '../path.ts';
import type { Filter, Path, Scalar } from '../query.ts';
import { literalStart } from '../regex/index.ts';
import { endOf, SIGN, textStart, valueKey } from './index-key.ts';
import { type Interval, intersection, interval, point, pointsOf, union } from './intervals.ts';

/** What part of a filter says about the index keys of one field. */
export interface Constraint {
  /** In order, without overlap. No key outside them fits. */
  readonly intervals: readonly Interval[];
  /** Whether every key inside them fits, so that nothing is left to check. */
  readonly isExact: boolean;
}

/** The filter as a list of conditions, all of which must hold. */
export function conjunctsOf(filter: Filter): readonly Filter[] {
  if (filter.kind === 'all') return [];
  return filter.kind === 'and' ? filter.filters.flatMap(conjunctsOf) : [filter];
}

/** What a filter says about the keys of the value at a path; undefined: nothing useful. */
export function constraintOn(path: Path, filter: Filter): Constraint | undefined {
  switch (filter.kind) {
    case 'eq':
      return isSamePath(filter.path, path) ? equal([filter.value as JsonValue]) : undefined;
    case 'in':
      return isSamePath(filter.path, path) ? equal(filter.values as readonly JsonValue[]) : undefined;
    case 'exists':
      return isSamePath(filter.path, path) ? exact([interval(Buffer.of(SIGN.missing + 1), undefined)]) : undefined;
    case 'not': {
      const inner = filter.filter;
      const isMissing = inner.kind === 'exists' && isSamePath(inner.path, path);
      return isMissing ? exact([point(Buffer.of(SIGN.missing))]) : undefined;
    }
    case 'or':
      return either(path, filter.filters);
    case 'regex': {
      const start = textStart(literalStart(filter.program));
      return isSamePath(filter.path, path) ? { intervals: [interval(start, endOf(start))], isExact: false } : undefined;
    }
    case 'starts': {
      const start = textStart(filter.value);
      return isSamePath(filter.path, path) ? exact([interval(start, endOf(start))]) : undefined;
    }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return isSamePath(filter.path, path) ? exact(range(filter.kind, filter.value)) : undefined;
    default:
      return undefined;
  }
}

/** What several conditions say together about a path, and which of them need no further check. */
export function constraintOf(
  path: Path,
  parts: readonly Filter[],
): { readonly intervals: readonly Interval[]; readonly settled: readonly Filter[] } | undefined {
  let intervals: readonly Interval[] | undefined;
  const settled: Filter[] = [];
  for (const part of parts) {
    const constraint = constraintOn(path, part);
    if (constraint === undefined) continue;
    intervals = intervals === undefined ? constraint.intervals : intersection(intervals, constraint.intervals);
    if (constraint.isExact) settled.push(part);
  }
  return intervals && { intervals, settled };
}

/** Alternatives constrain the field only if each of them does: to the union of what they allow. */
function either(path: Path, filters: readonly Filter[]): Constraint | undefined {
  const intervals: Interval[] = [];
  let isExact = true;
  for (const filter of filters) {
    const parts = conjunctsOf(filter);
    const constraint = constraintOf(path, parts);
    if (constraint === undefined) return undefined;
    intervals.push(...constraint.intervals);
    isExact &&= constraint.settled.length === parts.length;
  }
  return { intervals: union(intervals), isExact };
}

function exact(intervals: readonly Interval[]): Constraint {
  return { intervals, isExact: true };
}

/** Not exact for arrays and objects, which all share one key. */
function equal(values: readonly JsonValue[]): Constraint {
  const isExact = values.every((value) => typeof value !== 'object' || value === null);
  return { intervals: pointsOf(values.map(valueKey)), isExact };
}

/** Ranges stay within the type of their operand. */
function range(kind: 'gt' | 'gte' | 'lt' | 'lte', value: Scalar): readonly Interval[] {
  const key = valueKey(value);
  const type: Interval =
    typeof value === 'boolean'
      ? interval(Buffer.of(SIGN.false), Buffer.of(SIGN.true + 1))
      : interval(Buffer.of(key[0]!), Buffer.of(key[0]! + 1));
  const side = {
    gt: interval(endOf(key)!, undefined),
    gte: interval(key, undefined),
    lt: interval(Buffer.of(), key),
    lte: interval(Buffer.of(), endOf(key)),
  }[kind];
  return intersection([type], [side]);
}
