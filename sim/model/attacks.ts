// Directed attacks that the random schedules of explore.ts do not make, each with its verdict. A sound variant must stay
// clean. A refuted one must do harm, so that nobody proposes it again; `seed` and `steps` replay its first counterexample.
import type { AttackOptions } from './attack-options.ts';
import { attack, type Harm } from './attack-world.ts';

export interface Attack {
  readonly name: string;
  readonly options: AttackOptions;
}

export interface RefutedAttack extends Attack {
  readonly seed: number;
  /** Default 60. */
  readonly steps?: number;
  /** Options that do no harm in the same schedule. Needed where R9 leaves some harm, so that harm alone proves nothing. */
  readonly insteadOf?: AttackOptions;
}

export interface ResidueAttack extends Attack {
  readonly harmedPerThousand: number;
}

const HONEST: AttackOptions = { restore: true, damage: true };
const CONTENDED: AttackOptions = { ...HONEST, burst: 6, isContended: true };

const CUT: AttackOptions = { ...CONTENDED, cursors: 'capped', early: { isQueued: true, claims: 3 } };
const ROLLED_BACK: AttackOptions = { rollback: true, detect: true, chain: true, rewrite: true };
const ROLLED_BACK_CUT: AttackOptions = { ...ROLLED_BACK, cursors: 'capped', cutOneIn: 2 };

function early(variant: AttackOptions['early']): AttackOptions {
  return { ...CONTENDED, early: { isQueued: true, claims: 3, ...variant } };
}

export const SOUND: readonly Attack[] = [
  { name: 'no attack', options: {} },
  { name: 'backups restored under a new id, damaged rows', options: HONEST },
  { name: 'resume cursors capped by the sender’s knowledge', options: { ...HONEST, cursors: 'capped', cutOneIn: 2 } },
  { name: 'cut streams that go on, while both ends go on too', options: CUT },
  { name: 'live set, knowledge and purge line of one snapshot', options: { slow: 'snapshot', window: 8 } },
  { name: 'all of the claim’s moment', options: { slow: 'atomic', window: 8 } },
  { name: 'a collection dropped and wanted again under a new id', options: { narrow: 'newId' } },
  {
    name: 'all sound variants at once',
    options: {
      ...HONEST,
      cursors: 'capped',
      cutOneIn: 2,
      narrow: 'newId',
      slow: 'snapshot',
      window: 6,
    },
  },
  { name: 'live set in several messages under early knowledge', options: early({}) },
  { name: 'the same in lock-step', options: early({ isQueued: false }) },
  { name: 'the same, what is known whole dropped ahead of the claim', options: early({ slices: 'known' }) },
  {
    name: 'the same, what no answer mentioned dropped unasked',
    options: early({ dropsUnconfirmed: true, doesNotAskAgain: true }),
  },
];

export const REFUTED: readonly RefutedAttack[] = [
  { name: 'running twins, found by a peer’s knowledge alone', options: { clone: true, detect: true }, seed: 7 },
  {
    name: 'the same, versions since the fork renamed',
    options: { clone: true, detect: true, reauthor: true },
    seed: 7,
  },
  { name: 'rollback, found by a peer’s knowledge alone', options: { rollback: true, detect: true }, seed: 8 },
  {
    name: 'the same, versions since the fork renamed',
    options: { rollback: true, detect: true, reauthor: true },
    seed: 8,
  },
  {
    name: 'rollback found by checks, nothing written again',
    options: { rollback: true, detect: true, chain: true },
    seed: 8,
  },
  {
    name: 'single dots in knowledge, of a line only the last',
    options: { ...HONEST, extraDots: true },
    seed: 7041038,
  },
  { name: 'resume cursors as high as what was sent', options: { cursors: 'naive', cutOneIn: 2 }, seed: 1580 },
  { name: 'the same, while both ends go on too', options: { ...CUT, cursors: 'naive' }, seed: 366, steps: 80 },
  {
    name: 'resume cursors that outlive the rows they speak of',
    options: { ...CUT, cursors: 'outlivesRows' },
    seed: 34,
    steps: 80,
  },
  {
    name: 'resume cursors that a rolled-back sender finds again',
    options: { ...ROLLED_BACK_CUT, cursors: 'anyProcess' },
    seed: 211,
    insteadOf: ROLLED_BACK_CUT,
  },
  { name: 'live set of one moment, claim of a later one', options: { slow: 'mixed', window: 8 }, seed: 40 },
  { name: 'a collection dropped and wanted again under the same id', options: { narrow: 'sameId' }, seed: 31 },
  { name: 'the same, purge line kept', options: { narrow: 'keepLine' }, seed: 31 },
  { name: 'known context lines pruned', options: { prune: 'silently' }, seed: 4 },
  { name: 'the same, purge line raised over them', options: { prune: 'raiseLine' }, seed: 4 },
  { name: 'contexts of known versions pruned', options: { prune: 'raiseDot', pruneKnownOnly: true }, seed: 3260 },
  {
    name: 'the same, contexts joined',
    options: { prune: 'raiseDot', pruneKnownOnly: true, joinContexts: true },
    seed: 7571,
  },
  {
    name: 'the same, with damage and restores, the pruning announced',
    options: { ...HONEST, prune: 'raiseDot', pruneKnownOnly: true, joinContexts: true, pruneFlagTravels: true },
    seed: 23,
  },
  {
    name: 'ADR 0002 a: purge line of the beginning',
    options: early({ purgeLine: 'ofBeginning' }),
    seed: 17656,
    steps: 80,
  },
  { name: 'ADR 0002 b: no purge line', options: early({ purgeLine: 'none' }), seed: 5280, steps: 80 },
  { name: 'ADR 0002 c: later knowledge', options: early({ claimsLaterKnowledge: true }), seed: 891, steps: 80 },
  {
    name: 'ADR 0002 d: later knowledge, the unconfirmed dropped',
    options: early({ claimsLaterKnowledge: true, dropsUnconfirmed: true }),
    seed: 19,
    steps: 80,
  },
  { name: 'ADR 0002 e: no second question', options: early({ doesNotAskAgain: true }), seed: 3296, steps: 80 },
  {
    name: 'ADR 0002 f: answers before changes',
    options: early({ answersBeforeChanges: true }),
    seed: 1070714,
    steps: 80,
  },
  {
    name: 'ADR 0015: dropped ahead of the claim, the purge line with the claim',
    options: early({ slices: 'lineLate' }),
    seed: 38844,
    steps: 80,
  },
];

/** The harm that R9 leaves, measured over 20,000 schedules of 60 steps: twins that ran for some time before they met. */
export const RESIDUES: readonly ResidueAttack[] = [
  {
    name: 'running twins, found by checks, written again',
    options: { clone: true, detect: true, chain: true, rewrite: true },
    harmedPerThousand: 44,
  },
  {
    name: 'rollback, found by checks, written again',
    options: ROLLED_BACK,
    harmedPerThousand: 7,
  },
  {
    name: 'the same, with cut streams that go on',
    options: ROLLED_BACK_CUT,
    harmedPerThousand: 7,
  },
];

/** The first schedule among `count` seeds that does harm; null if none does. */
export function searchAttack(options: AttackOptions, first: number, count: number, steps = 60): FoundHarm | null {
  for (let seed = first; seed < first + count; seed++) {
    const { harm } = attack(seed, steps, options);
    if (harm.length > 0) return { seed, harm };
  }
  return null;
}

export interface FoundHarm {
  readonly seed: number;
  readonly harm: readonly Harm[];
}
