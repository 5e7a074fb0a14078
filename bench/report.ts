import { cpus, totalmem } from 'node:os';
import type { BenchCase, Goal } from './bench-case.ts';
import type { CaseResult, Measured } from './run-case.ts';

/** The results as a Markdown table: medians with their spread, and our ratio to each baseline against its goal. */
export function reportTable(cases: readonly BenchCase[], results: readonly CaseResult[]): string {
  const head = [
    '| case | figure | ours | row | chained | ours ÷ row | ours ÷ chained |',
    '|---|---|---|---|---|---|---|',
  ];
  const rows = results.flatMap((result) => {
    const goals = cases.find(({ name }) => name === result.name)?.goals ?? [];
    return Object.entries(result.figures).map(([figure, { ours, row, chained }]) => {
      const cells = [result.name, figure, format(ours), format(row), format(chained)];
      return `| ${[...cells, ratio(figure, 'row', ours, row, goals), ratio(figure, 'chained', ours, chained, goals)].join(' | ')} |`;
    });
  });
  return [...head, ...rows].join('\n');
}

/** Where the figures come from: without it they mean nothing. */
export function machine(): string {
  const [cpu] = cpus();
  return `Node ${process.versions.node}, SQLite ${process.versions.sqlite}, ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`;
}

function format(measured: Measured | undefined): string {
  if (!measured) return '–';
  const { median, spread } = measured;
  const digits = median >= 1000 ? 0 : median >= 10 ? 1 : 2;
  return `${median.toLocaleString('en-US', { maximumFractionDigits: digits })} ±${Math.round(spread * 50)} %`;
}

function ratio(
  figure: string,
  of: Goal['of'],
  ours: Measured | undefined,
  base: Measured | undefined,
  goals: readonly Goal[],
): string {
  if (!ours || !base) return '–';
  const factor = ours.median / base.median;
  const goal = goals.find((candidate) => candidate.figure === figure && candidate.of === of);
  if (!goal) return factor.toFixed(2);
  const isMet =
    goal.atLeast !== undefined ? factor >= goal.atLeast : factor <= (goal.atMost ?? Number.POSITIVE_INFINITY);
  const wanted = goal.atLeast !== undefined ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  return `${factor.toFixed(2)} (goal ${wanted}: ${isMet ? 'met' : 'missed'})`;
}
