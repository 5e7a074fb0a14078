import type { Filter, Path } from './query.ts';

type Equality = Extract<Filter, { kind: 'eq' | 'in' }>;

/**
 * A filter that fits if one of these does. Equalities on one path become one `in`, also inside arrays: testing membership
 * costs the same for one value as for thousands, and an index can answer it.
 */
export function anyOf(filters: readonly Filter[]): Filter {
  const joined = filters.length < 2 ? filters : [...joinItems(joinEqual(filters))];
  return joined.length === 1 ? joined[0]! : { kind: 'or', filters: joined };
}

/** A filter that fits if all of these do. Several inequalities on one path become one negated `in`. */
export function allOf(filters: readonly Filter[]): Filter {
  if (filters.length === 0) return { kind: 'all' };
  if (filters.length === 1) return filters[0]!;
  const excluded = filters.flatMap((filter) =>
    filter.kind === 'not' && isEquality(filter.filter) ? [filter.filter] : [],
  );
  if (excluded.length < 2) return { kind: 'and', filters };
  const others = filters.filter((filter) => filter.kind !== 'not' || !isEquality(filter.filter));
  const joined: Filter[] = joinEqual(excluded).map((filter) => ({ kind: 'not', filter }));
  return joined.length + others.length === 1 ? joined[0]! : { kind: 'and', filters: [...others, ...joined] };
}

/** Joins the equalities on each path into one `in`, at the position of the first of them. */
function joinEqual(filters: readonly Filter[]): readonly Filter[] {
  const byPath = groupBy(filters, (filter) => (isEquality(filter) ? filter.path : undefined));
  return byPath.map((group) => {
    const [first] = group as [Equality];
    if (group.length === 1) return first;
    const values = (group as Equality[]).flatMap((part) => (part.kind === 'eq' ? [part.value] : part.values));
    return { kind: 'in', path: first.path, values: [...new Set(values)] };
  });
}

/** "One item fits A, or one item fits B" means "one item fits A or B", so these join as well. */
function joinItems(filters: readonly Filter[]): readonly Filter[] {
  const byPath = groupBy(filters, (filter) => (filter.kind === 'elem' ? filter.path : undefined));
  return byPath.map((group) => {
    const [first] = group as [Filter];
    if (group.length === 1 || first.kind !== 'elem') return first;
    const inner = (group as (typeof first)[]).map((part) => part.filter);
    return { kind: 'elem', path: first.path, filter: anyOf(inner) };
  });
}

/** Groups in order of their first members. A filter without a path is a group of its own. */
function groupBy(filters: readonly Filter[], pathOf: (filter: Filter) => Path | undefined): readonly Filter[][] {
  const groups: Filter[][] = [];
  const byPath = new Map<string, Filter[]>();
  for (const filter of filters) {
    const path = pathOf(filter);
    const id = path === undefined ? undefined : JSON.stringify(path);
    const group = id === undefined ? undefined : byPath.get(id);
    if (group !== undefined) {
      group.push(filter);
      continue;
    }
    const newGroup = [filter];
    groups.push(newGroup);
    if (id !== undefined) byPath.set(id, newGroup);
  }
  return groups;
}

function isEquality(filter: Filter): filter is Equality {
  return filter.kind === 'eq' || filter.kind === 'in';
}
