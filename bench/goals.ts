import type { BaselineName, BenchCase, Goal } from './bench-case.ts';
import type { CaseResult } from './run-case.ts';
import type { Measured } from './statistics.ts';

/** More is better for writes and reads per second; for everything else, less is. */
export function isMoreBetter(figure: string): boolean {
  return /\b(?:writes|reads)\/s/.test(figure);
}

/** What each goal for the figure demands and whether it is met, as text. */
export function verdicts({ goals }: BenchCase, figure: string, measured: CaseResult['figures'][string]): string {
  return goals
    .filter((goal) => goal.figure === figure)
    .map((goal) => verdict(goal, measured.ours, goal.of && measured[goal.of]))
    .join('; ');
}

function verdict(goal: Goal, ours: Measured | undefined, base: Measured | undefined): string {
  const { atLeast, atMost, of } = goal;
  const wanted = atLeast !== undefined ? `≥ ${bound(atLeast, of)}` : `≤ ${bound(atMost ?? Number.NaN, of)}`;
  if (!ours || (of && !base)) return `${wanted}: not measured`;
  const value = ours.median / (base?.median ?? 1);
  const isMet = atLeast !== undefined ? value >= atLeast : value <= (atMost ?? Number.NaN);
  return `${wanted}: ${isMet ? 'met' : 'missed'}`;
}

function bound(value: number, of: BaselineName | undefined): string {
  return of === undefined ? value.toLocaleString('en-US') : `${value} × ${of}`;
}
