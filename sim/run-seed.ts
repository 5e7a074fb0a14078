import type { Campaign } from './faults.ts';
import { runWorld, type WorldOptions, type WorldResult } from './world.ts';

export type SeedJob = Pick<WorldOptions, 'seed' | 'events' | 'nodesMax' | 'campaign'>;

/** Runs one seed. A crash of the world counts as a problem like any other. */
export async function runSeed(options: WorldOptions): Promise<WorldResult> {
  try {
    return await runWorld(options);
  } catch (error) {
    return failedSeed(options, `broke: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** The result of a seed that did not finish. */
export function failedSeed({ seed }: SeedJob, problem: string): WorldResult {
  const residue = { clones: 0, ambiguousDocuments: 0, lost: 0, zombies: 0, diverged: 0 };
  return { seed, problems: [problem], residue, hash: 'none', frames: 0, links: 0, writes: 0, virtualMs: 0, healMs: 0 };
}

/** Of ten seeds, one is calm, two are twins, three are wear, one is programs and three are chaos. */
export function mixedCampaign(seed: number): Campaign {
  const kind = Math.abs(seed) % 10;
  return kind === 0 ? 'calm' : kind < 3 ? 'twins' : kind < 6 ? 'wear' : kind === 6 ? 'programs' : 'chaos';
}

/** The one command that replays a seed. */
export function replayCommand({ seed, events, nodesMax, campaign }: SeedJob): string {
  const flag = campaign === 'chaos' ? '' : ` --${campaign}`;
  return `npm run sim -- --seed ${seed} --events ${events} --nodes ${nodesMax}${flag}`;
}
