import { endOf } from './index-key.ts';

/** Keys from `from` (included) to `to` (excluded); undefined: to the end. */
export interface KeyBounds {
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
}

/** A range of the keys of one field. `isPoint`: exactly the keys of one value. */
export interface Interval extends KeyBounds {
  readonly isPoint: boolean;
}

export function point(key: Uint8Array): Interval {
  return { from: key, to: endOf(key), isPoint: true };
}

export function interval(from: Uint8Array, to: Uint8Array | undefined): Interval {
  return { from, to, isPoint: false };
}

/** One point for each distinct key, in order. */
export function pointsOf(keys: readonly Uint8Array[]): Interval[] {
  const sorted = [...keys].sort(Buffer.compare);
  return sorted.filter((key, i) => i === 0 || Buffer.compare(key, sorted[i - 1]!) !== 0).map(point);
}

/** Everything in at least one of the intervals, in order and without overlap. */
export function union(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((a, b) => Buffer.compare(a.from, b.from) || compareEnds(b.to, a.to));
  const joined: Interval[] = [];
  for (const each of sorted) {
    const last = joined.at(-1);
    if (last === undefined || compareEnds(each.from, last.to) >= 0) joined.push(each);
    else if (compareEnds(each.to, last.to) > 0) joined[joined.length - 1] = interval(last.from, each.to);
  }
  return joined;
}

/** The common part of two lists, each in order and without overlap. */
export function intersection(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const common: Interval[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [x, y] = [a[i]!, b[j]!];
    const from = Buffer.compare(x.from, y.from) >= 0 ? x.from : y.from;
    const to = compareEnds(x.to, y.to) <= 0 ? x.to : y.to;
    if (compareEnds(from, to) < 0) common.push({ from, to, isPoint: x.isPoint || y.isPoint });
    if (compareEnds(x.to, y.to) <= 0) i++;
    else j++;
  }
  return common;
}

/** Whether each of the inner intervals lies within one of the outer ones. */
export function isWithin(inner: readonly Interval[], outer: readonly Interval[]): boolean {
  return inner.every((each) =>
    outer.some(({ from, to }) => Buffer.compare(from, each.from) <= 0 && compareEnds(each.to, to) <= 0),
  );
}

/** Undefined is above everything. */
function compareEnds(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return Buffer.compare(a, b);
}
