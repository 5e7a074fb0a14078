// Runs the deterministic world from the command line. `npm run sim -- --seed 7` replays one seed; `--seeds 1000 --events
// 2000` runs many. `--calm`, `--twins`, `--wear` and `--programs` choose another campaign, `--mix` takes some of each. `--jobs` seeds run
// at once, by default one per core; the last line does not depend on that number. After `--seconds` no further seed begins.
// `--trace` shows every step of one seed; `--messages` adds every message, and `--write 7` where write 7 is. Exits with 1
// if anything was wrong.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Campaign } from './faults.ts';
import { hashOfAll, runPool } from './pool.ts';
import { mixedCampaign, replayCommand, runSeed, type SeedJob } from './run-seed.ts';
import { describeTotals } from './totals.ts';
import type { WorldResult } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '0' },
    events: { type: 'string', default: '2000' },
    nodes: { type: 'string', default: '5' },
    seconds: { type: 'string', default: 'Infinity' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    twins: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    wear: { type: 'boolean', default: false },
    programs: { type: 'boolean', default: false },
    mix: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    messages: { type: 'boolean', default: false },
    write: { type: 'string' },
  },
});

const events = Number(values.events);
const jobs =
  values.seed === undefined ? seedsFrom(Number(values.first), Number(values.seeds)) : [jobOf(Number(values.seed))];
const started = performance.now();
const results =
  jobs.length === 1 ? [await runOne(jobs[0]!)] : await runPool(jobs, Number(values.jobs), tell, Number(values.seconds));
const seconds = (performance.now() - started) / 1000;
for (const line of describeTotals(results, events, seconds)) print(line);
print(`state hash ${hashOfAll(results)}`);
process.exitCode = results.some(({ problems }) => problems.length > 0) ? 1 : 0;

function seedsFrom(first: number, count: number): SeedJob[] {
  return Array.from({ length: count }, (_, i) => jobOf(first + i));
}

function jobOf(seed: number): SeedJob {
  return { seed, events, nodesMax: Number(values.nodes), campaign: campaignOf(seed) };
}

function campaignOf(seed: number): Campaign {
  if (values.mix) return mixedCampaign(seed);
  return (['twins', 'calm', 'wear', 'programs'] as const).find((name) => values[name]) ?? 'chaos';
}

async function runOne(job: SeedJob): Promise<WorldResult> {
  const trace = values.trace ? { trace: (line: string) => process.stderr.write(`${line}\n`) } : {};
  const watched = values.write === undefined ? {} : { watched: Number(values.write) };
  const result = await runSeed({ ...job, ...trace, ...watched, tellMessages: values.messages });
  tell(job, result);
  return result;
}

function tell(job: SeedJob, { seed, problems }: WorldResult): void {
  if (problems.length === 0) return;
  print(`seed ${seed} FAILED; replay: ${replayCommand(job)}`);
  for (const problem of problems) print(`  ${problem}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
