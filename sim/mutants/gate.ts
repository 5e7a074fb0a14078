import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCENARIOS } from '../scenarios/index.ts';
import { runWorld } from '../world.ts';
import type { Hunt } from './hunt.ts';
import { type Mutant, plant, SEEDS_MAX, worldOf } from './mutant.ts';

export interface Verdict {
  readonly mutant: Mutant;
  /** The seed with which random schedules found it. */
  readonly seed: number | undefined;
  /** What was wrong with that seed, or in its scenario. */
  readonly problem: string | undefined;
  /** Why the gate fails; empty if the mutant was found as it should be. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

export interface HuntOptions {
  /** Whether to play every scenario with the mutant too. Only its own and those that name it may fail. */
  readonly allScenarios: boolean;
}

const ROOT = join(import.meta.dirname, '../..');
/** More than 500 seeds take on a slow machine. */
const HUNT_SECONDS_MAX = 600;

/** Mutants whose text is no longer in its file: they must follow the code. */
export function strayMutants(mutants: readonly Mutant[]): string[] {
  return mutants.flatMap((mutant) => {
    try {
      plant(mutant, readFileSync(join(ROOT, mutant.file), 'utf8'));
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

/** Scenarios that fail although no mutant is planted. */
export async function falseAlarms(): Promise<string[]> {
  const alarms: string[] = [];
  for (const { name, play } of SCENARIOS)
    for (const problem of await play()) alarms.push(`scenario "${name}" fails without a mutant: ${problem}`);
  return alarms;
}

/** Hunts all mutants, `atOnce` in parallel, each in a process of its own. */
export async function huntAll(
  mutants: readonly Mutant[],
  atOnce: number,
  options: HuntOptions,
  tell: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const left = [...mutants];
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const verdict = await huntOne(mutant, options);
      verdicts.push(verdict);
      tell(verdict);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return verdicts;
}

/** Plants the mutant in a process of its own, looks for it there, and checks that the same seed finds nothing without it. */
export async function huntOne(mutant: Mutant, { allScenarios }: HuntOptions): Promise<Verdict> {
  const started = performance.now();
  const hunt = await runHunt(mutant, allScenarios);
  const faults = [missOf(mutant, hunt), await falseAlarm(mutant, hunt), ...(allScenarios ? misfits(mutant, hunt) : [])];
  const seconds = (performance.now() - started) / 1000;
  const { seed, problem } = hunt;
  return { mutant, seed, problem, faults: faults.filter((fault) => fault !== undefined), seconds };
}

/** One line: where the mutant was found, and what was wrong there. */
export function howFound({
  mutant: { scenario, campaign = 'chaos' },
  seed,
  problem = 'nothing was wrong',
}: Verdict): string {
  if (scenario !== undefined) return `scenario "${scenario}": ${problem}`;
  return seed === undefined ? problem : `seed ${seed} of ${campaign}: ${problem}`;
}

function missOf({ scenario, first = 0 }: Mutant, { problem, broke }: Hunt): string | undefined {
  if (broke !== undefined) return `it broke what looks for it: ${broke}`;
  if (problem !== undefined) return undefined;
  const where = scenario === undefined ? `${SEEDS_MAX} seeds from ${first}` : `the scenario "${scenario}"`;
  return `not found by ${where}`;
}

async function falseAlarm(mutant: Mutant, { seed }: Hunt): Promise<string | undefined> {
  if (seed === undefined) return undefined;
  const [problem] = (await runWorld(worldOf(mutant, seed))).problems;
  return problem === undefined ? undefined : `seed ${seed} fails without the mutant too: ${problem}`;
}

/** A scenario must fail with the mutants that name it and with those it names itself, and with no others. */
function misfits({ name, scenario: own, isCoarse = false }: Mutant, { failing, broke }: Hunt): string[] {
  if (broke !== undefined || isCoarse) return [];
  return SCENARIOS.flatMap((scenario) => {
    const isDue = scenario.name === own || scenario.alsoFailsWith?.includes(name) === true;
    const isFailing = failing.includes(scenario.name);
    if (isDue === isFailing) return [];
    return [
      `the scenario "${scenario.name}" ${isFailing ? 'fails with it and does not say so' : 'does not fail with it'}`,
    ];
  });
}

function runHunt(mutant: Mutant, allScenarios: boolean): Promise<Hunt> {
  const args = ['--import', join(import.meta.dirname, 'plant.ts'), join(import.meta.dirname, 'hunt.ts')];
  const child = spawn(process.execPath, [...args, ...(allScenarios ? ['--scenarios'] : [])], {
    cwd: ROOT,
    env: { ...process.env, ENTGLDB_MUTANT: mutant.name },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    timeout: HUNT_SECONDS_MAX * 1000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('close', (_code, signal) => {
      resolve(signal === null ? readHunt(output) : { broke: `no end within ${HUNT_SECONDS_MAX} s`, failing: [] });
    });
  });
}

function readHunt(output: string): Hunt {
  try {
    return JSON.parse(output) as Hunt;
  } catch {
    return { broke: output.trim().slice(0, 2000), failing: [] };
  }
}
