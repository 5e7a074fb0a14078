// `npm run bench [-- part of a case's name …]`: measures the engine beside raw baselines in the same run. Medians of five runs; the
// table goes to the terminal, everything to bench/results/. Only an idle machine gives figures worth keeping.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as everyCase from './cases/index.ts';
import { machine, reportTable } from './report.ts';
import { type CaseResult, runCase } from './run-case.ts';

const RUNS = Number(process.env.ENTGLDB_BENCH_RUNS ?? 5);

const filters = process.argv.slice(2);
const cases = Object.values(everyCase).filter(
  ({ name }) => filters.length === 0 || filters.some((part) => name.includes(part)),
);
if (cases.length === 0) {
  console.error(
    `no case matches; there are: ${Object.values(everyCase)
      .map(({ name }) => name)
      .join(', ')}`,
  );
  process.exit(2);
}

const folder = mkdtempSync(join(process.env.ENTGLDB_BENCH_FOLDER ?? tmpdir(), 'entgldb-bench-'));
const results: CaseResult[] = [];
try {
  for (const bench of cases) {
    process.stderr.write(`${bench.name}: ${bench.about}\n`);
    results.push(await runCase(bench, RUNS, folder));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const at = new Date().toISOString();
console.log(`${machine()}, ${RUNS} runs, ${at}\n\n${reportTable(cases, results)}`);
const file = join(dirname(fileURLToPath(import.meta.url)), 'results', `${at.replaceAll(':', '-')}.json`);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify({ at, machine: machine(), runs: RUNS, results }, null, 2)}\n`);
