// `npm run torture [-- --counts full|ci] [--minutes N] [--only NAME] [--seed N]` runs every fault suite, the kills under
// load, and the simulation with its mutation gate. Prints one table and, without `--only`, writes it with machine and commit
// to docs/torture/YYYY-MM-DD.md. With `--minutes`, each suite gets an equal part of the time left and lowers its count to
// what fits. Exits with 1 if anything went wrong.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { builtFaultSuites } from './built-suites.ts';
import { NETWORK_SUITES } from './network-suites.ts';
import type { SuiteResult } from './suite.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OUTPUT_CHARS = 3000;
const NO_OUTCOMES = { kept: 0, healed: 0, reported: 0, silent: 0 };
/** Extra time in which the seeds that still run may end. */
const SIMULATION_MS_OVER = 15 * 60_000;
/** Longer than all suites take. */
const MINUTES_MAX = 24 * 60;

interface Entry {
  readonly name: string;
  readonly run: (deadline: number) => Promise<SuiteResult>;
}

interface Row extends SuiteResult {
  readonly name: string;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    counts: { type: 'string', default: 'full' },
    minutes: { type: 'string' },
    only: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 86_400_000)) },
  },
});
if (values.counts !== 'full' && values.counts !== 'ci') throw new Error('--counts is full or ci');
const counts = values.counts;
const seed = Number(values.seed);

const entries: readonly Entry[] = [
  ...[...(await builtFaultSuites()), ...NETWORK_SUITES].map((suite) => ({
    name: suite.name,
    run: (deadline: number) => suite.run({ count: suite.counts[counts], seed, deadline }),
  })),
  testFile({ name: 'kill -9 under load', path: 'kill-nine', scaleMax: 15, cases: 20, secondsEach: 35 }),
  testFile({ name: 'SIGTERM under load', path: 'sigterm', scaleMax: 100, cases: 5, secondsEach: 12 }),
  testFile({ name: 'backups under load, and killed', path: 'backup-load', scaleMax: 20, cases: 10, secondsEach: 17 }),
  testFile({ name: 'offline queue over crashes', path: 'queue-restarts', scaleMax: 13, cases: 4, secondsEach: 10 }),
  testFile({ name: 'no false alarms', path: 'calm-health', scaleMax: 40, cases: 1, secondsEach: 18 }),
  testFile({ name: 'event loop never held up', path: 'responsive', scaleMax: 15, cases: 6, secondsEach: 20 }),
  simulation('simulation', { seeds: counts === 'full' ? 100_000 : 30, events: 5000, nodes: 5 }),
  simulation('simulation, 20 nodes', { seeds: counts === 'full' ? 2000 : 1, events: 20_000, nodes: 20 }),
  simulation('simulation, 200 nodes', { seeds: counts === 'full' ? 50 : 1, events: 300, nodes: 200 }),
  mutationGate(),
].filter(({ name }) => values.only === undefined || name.includes(values.only));

const startedAt = new Date();
const end = performance.now() + Number(values.minutes ?? MINUTES_MAX) * 60_000;
const rows: Row[] = [];
for (const [i, { name, run }] of entries.entries()) {
  const start = performance.now();
  process.stderr.write(`${name} …\n`);
  const deadline = values.minutes === undefined ? end : start + (end - start) / (entries.length - i);
  const result = await run(deadline).catch(brokenResult);
  rows.push({ name, seconds: (performance.now() - start) / 1000, ...result });
  for (const problem of result.problems) process.stderr.write(`  ${problem}\n`);
  if (result.skipped !== null) process.stderr.write(`  SKIPPED: ${result.skipped}\n`);
}
const report = describeRun(rows);
process.stdout.write(report);
if (values.only === undefined) {
  const folder = join(ROOT, 'docs/torture');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${startedAt.toISOString().slice(0, 10)}.md`), report);
}
process.exitCode = rows.some(({ problems }) => problems.length > 0) ? 1 : 0;

interface TestFile {
  readonly name: string;
  /** Name of the file in test/integration, without `.test.ts`. */
  readonly path: string;
  /** Full counts are this many times those of the test. */
  readonly scaleMax: number;
  /** Cases of the test at scale 1, and the seconds it takes at most. */
  readonly cases: number;
  readonly secondsEach: number;
}

/** A suite made of a test file whose counts are multiplied by a scale. */
function testFile({ name, path, scaleMax, cases, secondsEach }: TestFile): Entry {
  return {
    name,
    run: async (deadline) => {
      const fitting = Math.floor((deadline - performance.now()) / 1000 / secondsEach);
      const scale = counts === 'full' ? Math.max(1, Math.min(scaleMax, fitting)) : 1;
      const env = { ENTGLDB_TEST_SCALE: String(scale), ENTGLDB_TEST_SEED: String(seed) };
      const hangsAfter = Math.max(deadline, performance.now() + 5 * scale * secondsEach * 1000);
      return resultOf(await runNode(['--test', `test/integration/${path}.test.ts`], hangsAfter, env), cases * scale);
    },
  };
}

function simulation(name: string, world: { seeds: number; events: number; nodes: number }): Entry {
  const { seeds, events, nodes } = world;
  const counted = ['--mix', '--seeds', String(seeds), '--events', String(events), '--nodes', String(nodes)];
  return {
    name,
    run: async (deadline) => {
      const seconds = Math.max(1, Math.floor((deadline - performance.now()) / 1000));
      const args = ['sim/main.ts', ...counted, '--first', String(seed * 1000), '--seconds', String(seconds)];
      const { status, output, isCutOff } = await runNode(args, deadline + SIMULATION_MS_OVER);
      const result = resultOf({ status, output, isCutOff }, 0);
      const cases = Number(/^(\d+) seeds of/m.exec(output)?.[1] ?? 0);
      const notes = output.split('\n').filter((line) => /^(\d+ seeds of|residue)/.test(line));
      return { ...result, cases, notes, outcomes: { ...NO_OUTCOMES, kept: status === 0 ? cases : 0 } };
    },
  };
}

function mutationGate(): Entry {
  return {
    name: 'mutation gate',
    run: async (deadline) => resultOf(await runNode(['sim/mutants/main.ts'], deadline), 1),
  };
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly isCutOff: boolean;
}

/** Runs Node with these arguments. A process that does not end in time is stopped, and counts as skipped, not as passed. */
function runNode(
  args: readonly string[],
  deadline: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const timeout = Math.max(1000, Math.ceil(deadline - performance.now()));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env }, timeout });
    let output = '';
    const keep = (text: Buffer): void => {
      output = (output + text).slice(-OUTPUT_CHARS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('close', (status) => resolve({ status, output, isCutOff: performance.now() >= deadline }));
  });
}

function resultOf({ status, output, isCutOff }: Ended, cases: number): SuiteResult {
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  const nothing = { cases: 0, outcomes: NO_OUTCOMES, problems: [], notes: [] };
  if (isCutOff) return { ...nothing, skipped: 'it did not end in the time given' };
  if (status !== 0) {
    const problems = [`ended with ${status}:\n${output}`];
    return { ...nothing, cases, outcomes: { ...NO_OUTCOMES, silent: 1 }, problems, skipped: null };
  }
  const notes = last.startsWith('ℹ') || last.startsWith('#') ? [] : [last];
  return { cases, outcomes: { ...NO_OUTCOMES, kept: cases }, problems: [], notes, skipped: null };
}

function brokenResult(error: unknown): SuiteResult {
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { cases: 0, outcomes: NO_OUTCOMES, problems: [problem], notes: [], skipped: null };
}

function describeRun(all: readonly Row[]): string {
  const [processor] = cpus();
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).stdout.trim();
  const changed = spawnSync('git', ['status', '--porcelain', 'src'], { cwd: ROOT, encoding: 'utf8' }).stdout;
  const machine = `${cpus().length} × ${processor?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}`;
  const cells = all.map(({ name, cases, seconds, outcomes: { kept, healed, reported, silent }, skipped }) =>
    skipped === null
      ? `| ${name} | ${cases} | ${kept} | ${healed} | ${reported} | ${silent} | ${seconds.toFixed(0)} |`
      : `| ${name} | SKIPPED: ${skipped} | | | | | ${seconds.toFixed(0)} |`,
  );
  const notes = all.flatMap(({ name, notes: of }) =>
    of.filter((note) => note !== '').map((note) => `- ${name}: ${note}`),
  );
  const problems = all.flatMap(({ name, problems: of }) => of.map((problem) => `- ${name}: ${problem.split('\n')[0]}`));
  return [
    `# Torture, ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    '',
    `Commit ${commit}${changed === '' ? '' : ' with changes'}, Node ${process.version}, ${machine}; counts: ${counts}${values.minutes === undefined ? '' : `, at most ${values.minutes} minutes`}; seed ${seed}.`,
    '',
    'Kept: everything was there and true. Healed: put right without an operator. Reported: refused or missing, and said so. Silent:',
    'lost or untrue without a word, or anything else that should not be.',
    '',
    '| Suite | Cases | Kept | Healed | Reported | Silent | Seconds |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...cells,
    '',
    ...notes,
    ...(problems.length === 0 ? [] : ['', '## What went wrong', '', ...problems]),
    '',
  ].join('\n');
}
