import { isDeepStrictEqual } from 'node:util';
import type { LiveChange, LiveEntry } from './live-api.ts';

/**
 * The steps from one result to another: removals from the end, then additions and moves from the front, then changes in place.
 * The number of moves is minimal: the entries that stay form a longest increasing subsequence (patience sorting, Fredman 1975).
 */
export function diffResults<T>(before: readonly LiveEntry<T>[], after: readonly LiveEntry<T>[]): LiveChange<T>[] {
  const start = equalAtStart(before, after);
  const end = equalAtEnd(before, after, start);
  const old = before.slice(start, before.length - end);
  const now = after.slice(start, after.length - end);
  const oldByKey = new Map(old.map((entry) => [entry.key, entry]));
  const nowKeys = new Set(now.map(({ key }) => key));
  const changes: LiveChange<T>[] = [];
  for (let i = old.length - 1; i >= 0; i--)
    if (!nowKeys.has(old[i]!.key)) changes.push({ kind: 'removed', key: old[i]!.key, index: start + i });
  const kept = old.filter(({ key }) => nowKeys.has(key)).map(({ key }) => key);
  const settled = keepingOrder(kept, now);
  placeOthers(changes, kept, now, settled, start);
  for (const [i, { key, value }] of now.entries()) {
    if (settled.has(key) && !isSameEntry(oldByKey.get(key)!, now[i]!))
      changes.push({ kind: 'changed', key, value, index: start + i });
  }
  return changes;
}

/**
 * Applies the changes of an update to the results before it, and returns the new results as a new array. The changes must be
 * applied in their order, each to the result of the one before.
 */
export function applyLiveChanges<T>(
  results: readonly LiveEntry<T>[],
  changes: readonly LiveChange<T>[],
): LiveEntry<T>[] {
  const list = [...results];
  for (const change of changes) {
    if (change.kind === 'removed') list.splice(change.index, 1);
    else {
      const { key, value, index } = change;
      if (change.kind === 'moved') list.splice(change.from, 1);
      list.splice(index, change.kind === 'changed' ? 1 : 0, { key, value });
    }
  }
  return list;
}

function equalAtStart<T>(before: readonly LiveEntry<T>[], after: readonly LiveEntry<T>[]): number {
  const most = Math.min(before.length, after.length);
  let count = 0;
  while (count < most && isSameEntry(before[count]!, after[count]!)) count++;
  return count;
}

function equalAtEnd<T>(before: readonly LiveEntry<T>[], after: readonly LiveEntry<T>[], start: number): number {
  const most = Math.min(before.length, after.length) - start;
  let count = 0;
  while (count < most && isSameEntry(before.at(-1 - count)!, after.at(-1 - count)!)) count++;
  return count;
}

export function isSameEntry<T>(a: LiveEntry<T>, b: LiveEntry<T>): boolean {
  return a === b || (a.key === b.key && isDeepStrictEqual(a.value, b.value));
}

/** An increasing run of places, as a list from its last member backwards. */
interface Run {
  readonly key: string;
  readonly place: number;
  readonly before: Run | undefined;
}

/** The keys of a longest subsequence of `kept` that is already in the order of `now`. */
function keepingOrder<T>(kept: readonly string[], now: readonly LiveEntry<T>[]): Set<string> {
  const places = new Map(kept.map((key, place) => [key, place]));
  /** At index n - 1: of the runs of length n, the one with the lowest end. */
  const ends: Run[] = [];
  for (const { key } of now) {
    const place = places.get(key);
    if (place === undefined) continue;
    let low = 0;
    for (let high = ends.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (ends[middle]!.place < place) low = middle + 1;
      else high = middle;
    }
    ends[low] = { key, place, before: ends[low - 1] };
  }
  const settled = new Set<string>();
  for (let run = ends.at(-1); run !== undefined; run = run.before) settled.add(run.key);
  return settled;
}

/**
 * Adds the steps that insert each new or moved entry after its predecessor in `now`. `list` holds the kept keys and is changed
 * along; those in `settled` stay where they are.
 */
function placeOthers<T>(
  changes: LiveChange<T>[],
  list: string[],
  now: readonly LiveEntry<T>[],
  settled: ReadonlySet<string>,
  start: number,
): void {
  const old = new Set(list);
  let last = -1;
  for (const { key, value } of now) {
    if (settled.has(key)) {
      last = list.indexOf(key, last + 1);
      continue;
    }
    const from = old.has(key) ? list.indexOf(key) : -1;
    if (from >= 0) list.splice(from, 1);
    if (from >= 0 && from <= last) last--;
    list.splice(++last, 0, key);
    if (from < 0) changes.push({ kind: 'added', key, value, index: start + last });
    else changes.push({ kind: 'moved', key, value, index: start + last, from: start + from });
  }
}
