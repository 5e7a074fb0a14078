// Looks for the mutant that plant.ts put into this process: with its scenario, else with random schedules. Prints where it was
// found as one line of JSON; exit 1 when it was not.
import { SCENARIOS } from '../scenarios/index.ts';
import { runWorld } from '../world.ts';
import { SEEDS_MAX } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const mutant = MUTANTS.find(({ name }) => name === process.env.ENTGLDB_MUTANT)!;
const found = mutant.scenario === undefined ? await searchSeeds() : await playScenario(mutant.scenario);
process.stdout.write(`${JSON.stringify(found ?? null)}\n`);
process.exitCode = found === undefined ? 1 : 0;

async function searchSeeds(): Promise<{ where: string; problem: string } | undefined> {
  const { campaign = 'chaos', events = 500, first = 0 } = mutant;
  for (let seed = first; seed < first + SEEDS_MAX; seed++) {
    const problem = await problemOf(async () => (await runWorld({ seed, events, nodesMax: 5, campaign })).problems);
    if (problem !== undefined) return { where: `seed ${seed}`, problem };
  }
  return undefined;
}

async function playScenario(name: string): Promise<{ where: string; problem: string } | undefined> {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const problem = await problemOf(() => scenario.play());
  return problem === undefined ? undefined : { where: 'scenario', problem };
}

/** A mutant that breaks the world outright is found too. */
async function problemOf(run: () => Promise<readonly string[]>): Promise<string | undefined> {
  try {
    return (await run())[0]?.split('\n')[0];
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
