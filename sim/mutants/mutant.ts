import type { WorldOptions } from '../world.ts';

/** A planted bug: one place of the engine is changed when its file is loaded. The engine's code knows nothing of it. */
export interface Mutant {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  /** Path in the repository. */
  readonly file: string;
  /** Text that occurs in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** A second edit of the same file, where one is not enough. */
  readonly also?: { readonly find: string; readonly replace: string };
  /** Where random schedules find it: the campaign, and the events per seed. Default: chaos, 500. */
  readonly campaign?: 'chaos' | 'twins' | 'calm' | 'programs';
  readonly events?: number;
  /** First seed of the search, to save the gate time. It tries at most `SEEDS_MAX` seeds from there. Default: 0. */
  readonly first?: number;
  /** Name of the scenario that finds it, where random schedules take too long or do not check for it. */
  readonly scenario?: string;
  /** Whether it stops nearly all replication, so that nearly any scenario may fail with it. Default: false. */
  readonly isCoarse?: boolean;
}

/** Seeds within which random schedules must find a mutant. */
export const SEEDS_MAX = 500;

/** The source with the bug in it. Throws if a text does not occur exactly once: then the mutant must follow the code. */
export function plant({ name, file, find, replace, also }: Mutant, source: string): string {
  let planted = source;
  for (const edit of [{ find, replace }, ...(also === undefined ? [] : [also])]) {
    const parts = planted.split(edit.find);
    if (parts.length !== 2)
      throw new Error(`mutant ${name}: ${file} holds ${JSON.stringify(edit.find)} ${parts.length - 1} times, not once`);
    planted = parts.join(edit.replace);
  }
  return planted;
}

/** The world of one seed in which the mutant is looked for. */
export function worldOf({ campaign = 'chaos', events = 500 }: Mutant, seed: number): WorldOptions {
  return { seed, events, nodesMax: 5, campaign };
}
