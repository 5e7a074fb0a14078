import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';
import { matches } from './matches.ts';
import { readPath } from './path.ts';
import type { Filter, Path } from './query.ts';

export type Predicate = (value: JsonValue) => boolean;

/** With fewer alternatives, trying each is as fast as looking up the right one. */
const ALTERNATIVES_MIN = 8;

/**
 * `matches` compiled for one filter and many documents. Among thousands of values or alternatives, those that can fit are
 * looked up by the document's value instead of being tried one by one. The result is always that of `matches`.
 */
export function toPredicate(filter: Filter): Predicate {
  switch (filter.kind) {
    case 'and': {
      const parts = filter.filters.map(toPredicate);
      return (value) => parts.every((part) => part(value));
    }
    case 'or':
      return filter.filters.length < ALTERNATIVES_MIN
        ? anyPredicate(filter.filters)
        : choosingPredicate(filter.filters);
    case 'not': {
      const part = toPredicate(filter.filter);
      return (value) => !part(value);
    }
    case 'in': {
      const { path } = filter;
      const ids = new Set(filter.values.map((operand) => identityOf(operand as JsonValue)));
      return (value) => ids.has(identityOf(readPath(value, path)));
    }
    case 'elem': {
      const { path } = filter;
      const part = toPredicate(filter.filter);
      return (value) => {
        const items = readPath(value, path);
        return Array.isArray(items) && items.some((item) => part(item));
      };
    }
    default:
      return (value) => matches(filter, value);
  }
}

/** Largest number of conditions that a predicate evaluates for one document. Alternatives looked up by value count once. */
export function conditionsLookedAt(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
      return sum(filter.filters);
    case 'or': {
      if (filter.filters.length < ALTERNATIVES_MIN) return sum(filter.filters);
      const { groups, others } = groupAlternatives(filter.filters);
      return sum(others) + groups.length;
    }
    case 'not':
      return conditionsLookedAt(filter.filter);
    case 'elem':
      return ITEMS_ASSUMED * conditionsLookedAt(filter.filter);
    case 'regex':
    case 'words':
      return TEXT_WEIGHT;
    default:
      return 1;
  }
}

/** Searching a text for a pattern or for words costs as much as this many comparisons. */
const TEXT_WEIGHT = 30;
/** Items that an array is assumed to have. */
const ITEMS_ASSUMED = 4;

function sum(filters: readonly Filter[]): number {
  return filters.reduce((total, part) => total + conditionsLookedAt(part), 0);
}

function anyPredicate(filters: readonly Filter[]): Predicate {
  const parts = filters.map(toPredicate);
  return (value) => parts.some((part) => part(value));
}

function choosingPredicate(filters: readonly Filter[]): Predicate {
  const { groups, others } = groupAlternatives(filters);
  const chosen = groups.map(({ path, byIdentity }) => ({
    path,
    parts: new Map([...byIdentity].map(([id, parts]) => [id, anyPredicate(parts)])),
  }));
  const rest = anyPredicate(others);
  return (value) =>
    chosen.some(({ path, parts }) => parts.get(identityOf(readPath(value, path)))?.(value)) || rest(value);
}

interface Alternatives {
  /** The filters under an identity can fit only if the path leads to that value. */
  readonly groups: readonly { readonly path: Path; readonly byIdentity: Map<unknown, Filter[]> }[];
  readonly others: readonly Filter[];
}

function groupAlternatives(filters: readonly Filter[]): Alternatives {
  const byPath = new Map<string, { readonly path: Path; readonly byIdentity: Map<unknown, Filter[]> }>();
  const others: Filter[] = [];
  for (const filter of filters) {
    const held = requiredValues(filter);
    if (held === undefined) {
      others.push(filter);
      continue;
    }
    const id = JSON.stringify(held.path);
    const group = byPath.get(id) ?? { path: held.path, byIdentity: new Map() };
    byPath.set(id, group);
    for (const value of new Set(held.values.map((operand) => identityOf(operand as JsonValue)))) {
      const parts = group.byIdentity.get(value);
      if (parts === undefined) group.byIdentity.set(value, [filter]);
      else parts.push(filter);
    }
  }
  return { groups: [...byPath.values()], others };
}

/** A path and a list of values: wherever the filter fits, the path leads to one of them. */
function requiredValues(filter: Filter): { readonly path: Path; readonly values: readonly unknown[] } | undefined {
  if (filter.kind === 'eq') return { path: filter.path, values: [filter.value] };
  if (filter.kind === 'in') return filter;
  if (filter.kind !== 'and') return undefined;
  for (const part of filter.filters) {
    const held = requiredValues(part);
    if (held !== undefined) return held;
  }
  return undefined;
}

/** The same for equal values only. Scalars identify themselves; the prefix keeps texts apart from canonical JSON. */
function identityOf(value: JsonValue | undefined): unknown {
  if (typeof value === 'string') return `"${value}`;
  return typeof value === 'object' && value !== null ? canonicalJson(value) : value;
}
