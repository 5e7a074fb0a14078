import type { BaselineName } from './bench-case.ts';
import { isMoreBetter } from './goals.ts';
import type { CaseResult } from './run-case.ts';
import { type Interval, intervalOf, type Measured, pairedRatios } from './statistics.ts';

/** What a later run is compared with: only figures that another machine of the same class would measure too. */
export interface Baseline {
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  /** By name: `case: figure ÷ baseline` for times and speeds, `case: figure` for counts. */
  readonly intervals: Readonly<Record<string, Interval>>;
}

export interface Comparison {
  readonly about: string;
  readonly verdict: 'worse' | 'better';
  readonly was: Interval;
  readonly is: Interval;
}

/** Medians that differ by less than this share count as equal, however narrow the intervals. */
const TOLERANCE = 0.03;
const BASELINES: readonly BaselineName[] = ['row', 'chained'];

export function intervalsOf(results: readonly CaseResult[]): Record<string, Interval> {
  const intervals: Record<string, Interval> = {};
  for (const { name, figures } of results) {
    for (const [figure, measured] of Object.entries(figures)) {
      const { ours } = measured;
      if (!ours || figure.startsWith('loop')) continue;
      if (!isTime(figure)) intervals[`${name}: ${figure}`] = rounded(intervalOf(ours.runs));
      else for (const base of BASELINES) addRatio(intervals, `${name}: ${figure} ÷ ${base}`, ours, measured[base]);
    }
  }
  return intervals;
}

/** What clearly got worse or better: the intervals do not touch. */
export function compare(was: Baseline['intervals'], is: Baseline['intervals']): Comparison[] {
  return Object.entries(is).flatMap(([about, now]) => {
    const then = was[about];
    if (then === undefined || Math.abs(now.median / then.median - 1) < TOLERANCE) return [];
    const isMore = now.low > then.high;
    if (!isMore && now.high >= then.low) return [];
    return { about, verdict: isMore === isMoreBetter(about) ? 'better' : 'worse', was: then, is: now } as const;
  });
}

export function comparisonText({ about, verdict, was, is }: Comparison): string {
  const text = ({ low, median, high }: Interval) => `${median} (${low} to ${high})`;
  return `${verdict}: ${about} is ${text(is)}, was ${text(was)}`;
}

/** Whether the figure is a time or a speed, which depends on the machine. Bytes, memory and counts depend on us. */
function isTime(figure: string): boolean {
  return isMoreBetter(figure) || /\bms\b|core %/.test(figure);
}

function addRatio(
  intervals: Record<string, Interval>,
  about: string,
  ours: Measured,
  base: Measured | undefined,
): void {
  if (base) intervals[about] = rounded(intervalOf(pairedRatios(ours.runs, base.runs)));
}

function rounded({ low, median, high }: Interval): Interval {
  const round = (value: number) => Number(value.toPrecision(4));
  return { low: round(low), median: round(median), high: round(high) };
}
