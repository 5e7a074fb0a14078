// `npm run bench [-- part of a case's name …]` measures the engine and raw baselines side by side, with medians of five
// runs. The tables go to the terminal, everything to bench/results. Only an idle machine gives figures worth keeping.
// docs/performance.md describes the options.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allCases } from './all-cases.ts';
import { type Baseline, compare, comparisonText, intervalsOf } from './baseline.ts';
import type { BenchCase } from './bench-case.ts';
import { compilePrograms } from './compiled.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { installPeers } from './peer-cases.ts';
import { commit, costTable, machine, reportTable } from './report.ts';
import { type CaseResult, runCase } from './run-case.ts';
import { withScratch } from './scratch.ts';
import { isInside, runOnSmallMachine } from './small-machine.ts';

const BASELINE = join(import.meta.dirname, 'baseline.json');

interface Report {
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  readonly options: BenchOptions;
  readonly results: readonly CaseResult[];
}

const options = parseOptions(process.argv.slice(2));
process.exitCode = options.isSmall && !isInside() ? await runOnSmallMachine(process.argv.slice(1)) : await main();

async function main(): Promise<number> {
  const wrong = wrongUsage();
  if (wrong !== null) {
    console.error(wrong);
    return 2;
  }
  if (options.withPeers) installPeers();
  await compilePrograms();
  const cases = await allCases(options);
  const wanted = cases.filter(
    ({ name }) => options.filters.length === 0 || options.filters.some((part) => name.includes(part)),
  );
  if (wanted.length === 0) {
    console.error(`no case matches; there are: ${cases.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const report: Report = {
    at: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    options,
    results: await withScratch((folder) => measure(wanted, folder)),
  };
  console.log(`Commit ${report.commit}, ${report.machine}, ${options.runs} runs, ${report.at}\n`);
  console.log(`${reportTable(wanted, report.results)}\n\n${costTable(report.results)}`);
  keep(join(import.meta.dirname, 'results', `${report.at.replaceAll(':', '-')}.json`), report);
  if (options.writesBaseline) keep(BASELINE, baselineOf(report));
  return options.checks ? check(report) : 0;
}

/** What is wrong with the options; null if nothing is. */
function wrongUsage(): string | null {
  if (options.writesBaseline && options.filters.length > 0)
    return 'a baseline is made of all cases: leave the filter away';
  if (options.checks && !existsSync(BASELINE))
    return 'there is no bench/baseline.json to compare with: make one with `npm run bench -- --write-baseline`';
  return null;
}

async function measure(cases: readonly BenchCase[], folder: string): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const bench of cases) {
    const start = performance.now();
    process.stderr.write(`${bench.name}: ${bench.about} … `);
    results.push(await runCase(bench, { ...options, folder }));
    process.stderr.write(`${Math.round((performance.now() - start) / 1000)} s\n`);
  }
  return results;
}

function baselineOf({ at, commit, machine, results }: Report): Baseline {
  return { at, commit, machine, intervals: intervalsOf(results) };
}

/** Prints what differs from the committed baseline. Returns 1 if anything got worse, otherwise 0. */
function check(report: Report): number {
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline;
  const found = compare(baseline.intervals, intervalsOf(report.results));
  console.log(`\nCompared with commit ${baseline.commit}, ${baseline.at}, ${baseline.machine}:`);
  console.log(found.length === 0 ? 'nothing got worse' : found.map(comparisonText).join('\n'));
  return found.some(({ verdict }) => verdict === 'worse') ? 1 : 0;
}

function keep(file: string, content: object): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
