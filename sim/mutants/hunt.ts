// Looks for the mutant that plant.ts put into this process: with its scenario if it names one, otherwise with random
// schedules. `--scenarios` plays all scenarios too. Prints a Hunt as one line of JSON.
import { SCENARIOS, type Scenario } from '../scenarios/index.ts';
import { runWorld } from '../world.ts';
import { SEEDS_MAX, worldOf } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** The result of looking for one mutant. */
export interface Hunt {
  /** The seed with which random schedules found it. */
  readonly seed?: number;
  /** What was wrong with that seed, or in its scenario; absent if nothing was. */
  readonly problem?: string;
  /** Why there is no result: the world or the scenario crashed. A mutant must be caught; a mere crash does not count. */
  readonly broke?: string;
  /** The scenarios that failed with it, of those that were played. */
  readonly failing: readonly string[];
}

// The parent process has ended: nobody waits for the answer.
process.once('disconnect', () => process.exit(2));

const mutant = MUTANTS.find(({ name }) => name === process.env.ENTGLDB_MUTANT)!;
const scenarios = SCENARIOS.filter(({ name }) => process.argv.includes('--scenarios') || name === mutant.scenario);
const hunt = await look();
process.stdout.write(`${JSON.stringify(hunt)}\n`, () => process.disconnect?.());

async function look(): Promise<Hunt> {
  const problems = new Map<string, string>();
  try {
    for (const scenario of scenarios) {
      const problem = await playOne(scenario);
      if (problem !== undefined) problems.set(scenario.name, problem);
    }
    const failing = [...problems.keys()];
    if (mutant.scenario === undefined) return { ...(await searchSeeds()), failing };
    const problem = problems.get(mutant.scenario);
    return problem === undefined ? { failing } : { problem, failing };
  } catch (error) {
    return { broke: textOf(error), failing: [...problems.keys()] };
  }
}

/** A scenario may crash with a mutant that is not its own; that counts as a failure of the scenario. */
async function playOne(scenario: Scenario): Promise<string | undefined> {
  try {
    return (await scenario.play())[0];
  } catch (error) {
    if (scenario.name === mutant.scenario) throw error;
    return textOf(error);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? String(error.stack) : String(error);
}

async function searchSeeds(): Promise<Pick<Hunt, 'seed' | 'problem'>> {
  const { first = 0 } = mutant;
  for (let seed = first; seed < first + SEEDS_MAX; seed++) {
    const [problem] = (await runWorld(worldOf(mutant, seed))).problems;
    if (problem !== undefined) return { seed, problem: problem.split('\n')[0]! };
  }
  return {};
}
