/** Several runs of one figure. */
export interface Measured {
  readonly median: number;
  /** (largest − smallest) ÷ median. */
  readonly spread: number;
  /** In the order in which they were made. */
  readonly runs: readonly number[];
}

/** An interval around a median. The smallest and the largest of five runs enclose the true median in 15 of 16 cases. */
export interface Interval {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export function measuredOf(runs: readonly number[]): Measured {
  const { low, median, high } = intervalOf(runs);
  return { median, spread: high === low ? 0 : (high - low) / median, runs };
}

export function intervalOf(values: readonly number[]): Interval {
  const sorted = [...values].sort((a, b) => a - b);
  return { low: sorted[0] ?? Number.NaN, median: medianOf(sorted), high: sorted.at(-1) ?? Number.NaN };
}

/** Ratios of runs of the same round. The machine was under the same load, so they are steadier than a ratio of medians. */
export function pairedRatios(runs: readonly number[], baseRuns: readonly number[]): number[] {
  return runs.slice(0, baseRuns.length).map((value, i) => value / baseRuns[i]!);
}

/** The value below which this share of the sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
