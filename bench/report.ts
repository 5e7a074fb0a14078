import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { BenchCase, SubjectName } from './bench-case.ts';
import { verdicts } from './goals.ts';
import type { CaseResult } from './run-case.ts';
import type { Measured } from './statistics.ts';

/** Gauges of every run. They have a table of their own, unless a goal is about them. */
const GAUGES: readonly string[] = ['peak MiB', 'loop p99 ms', 'loop max ms'];
const BASELINES = ['row', 'chained'] as const;

/** The results as a Markdown table: medians with their spread, our ratio to each baseline, and the verdicts on goals. */
export function reportTable(cases: readonly BenchCase[], results: readonly CaseResult[]): string {
  const peers = subjectsOf(results).filter((name) => name !== 'ours' && name !== 'row' && name !== 'chained');
  const names: readonly SubjectName[] = ['ours', ...BASELINES, ...peers];
  const rows = results.flatMap(({ name, figures }) => {
    const bench = cases.find((candidate) => candidate.name === name)!;
    return Object.entries(figures)
      .filter(([figure]) => !GAUGES.includes(figure) || bench.goals.some((goal) => goal.figure === figure))
      .map(([figure, measured]) => [
        name,
        figure,
        ...names.map((subject) => format(measured[subject])),
        ...BASELINES.map((base) => ratio(measured.ours, measured[base])),
        verdicts(bench, figure, measured) || '–',
      ]);
  });
  return table(['case', 'figure', ...names, ...BASELINES.map((base) => `ours ÷ ${base}`), 'goal'], rows);
}

/** The gauges of each case's processes, as a Markdown table. */
export function costTable(results: readonly CaseResult[]): string {
  const names = subjectsOf(results);
  const head = ['case', ...names.flatMap((name) => GAUGES.map((gauge) => `${name}, ${gauge}`))];
  const rows = results.map((result) => [
    result.name,
    ...names.flatMap((name) => GAUGES.map((gauge) => format(result.figures[gauge]?.[name]))),
  ]);
  return table(head, rows);
}

/** The machine and versions behind the figures, which mean nothing without them. */
export function machine(): string {
  const [cpu] = cpus();
  return `Node ${process.versions.node}, SQLite ${process.versions.sqlite}, ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`;
}

/** Short hash of the commit that is checked out, with `+` if files differ from it; `unknown` without Git. */
export function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}

function subjectsOf(results: readonly CaseResult[]): SubjectName[] {
  return [...new Set(results.flatMap(({ figures }) => Object.values(figures).flatMap(Object.keys)))] as SubjectName[];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function format(measured: Measured | undefined): string {
  if (!measured) return '–';
  const { median, spread } = measured;
  const digits = median >= 1000 ? 0 : median >= 10 ? 1 : 2;
  return `${median.toLocaleString('en-US', { maximumFractionDigits: digits })} ±${Math.round(spread * 50)} %`;
}

function ratio(ours: Measured | undefined, base: Measured | undefined): string {
  return ours && base ? (ours.median / base.median).toFixed(2) : '–';
}
