import type { CursorRule } from './cursors.ts';
import type { EarlyOptions } from './early-session.ts';

/** What an attack does to the world, and which candidate rules it tries. Absent: no. */
export interface AttackOptions {
  /** Old backups take their node's place, under a new replica id. */
  readonly restore?: boolean;
  /** Rows become unreadable (R11). */
  readonly damage?: boolean;
  /** Running nodes are copied, identity and all. */
  readonly clone?: boolean;
  /** Nodes fall back to a backup with their old identity. */
  readonly rollback?: boolean;
  /** R9 at meeting: a peer that knows more of me than I do proves that I am a copy or was rolled back. */
  readonly detect?: boolean;
  /** Knowledge carries checks (R9): two for one seq prove a fork. */
  readonly chain?: boolean;
  /** After detection, versions since the fork are written again; context: what they replaced and their old dot (R9). */
  readonly rewrite?: boolean;
  /** After detection, versions since the fork are renamed, with contexts cut at the fork. Refused in favour of `rewrite`. */
  readonly reauthor?: boolean;
  /** Resume cursors of R4. */
  readonly cursors?: CursorRule;
  /** One round in this many is cut; default 4. */
  readonly cutOneIn?: number;
  /** How a live set that takes several messages is claimed; see slow-session.ts. */
  readonly slow?: SlowMode;
  /** Messages between description and claim; default 2. */
  readonly window?: number;
  /** R5 as docs/adr/0002 decided it; see early-session.ts. */
  readonly early?: EarlyOptions;
  /** Up to this many session steps follow each other without anything between. */
  readonly burst?: number;
  /** Weights under which sessions meet purges, pushes and each other most of the time. */
  readonly isContended?: boolean;
  /** A collection is dropped and wanted again: under the same id, a new one, or the same with its purge line kept. */
  readonly narrow?: 'sameId' | 'newId' | 'keepLine';
  /** Contexts are pruned of known lines; the purge line rises over the line, or over the version's own dot. */
  readonly prune?: 'silently' | 'raiseLine' | 'raiseDot';
  readonly pruneKnownOnly?: boolean;
  /** Two copies of one dot with different contexts join them. */
  readonly joinContexts?: boolean;
  /** A pruned version says so, and raises the purge line wherever it arrives. */
  readonly pruneFlagTravels?: boolean;
  /** Knowledge also holds single dots above its seq. */
  readonly extraDots?: boolean;
}

/** What happened in a schedule, so that a clean verdict can be told from one that never met the case. */
export interface AttackCounts {
  detected: number;
  liveSets: number;
  sent: number;
  /** Versions that a stream passed over because an earlier one had brought them. */
  resumed: number;
  early: {
    completed: number;
    dropped: number;
    purgedMeanwhile: number;
    learnedMeanwhile: number;
    askedAgain: number;
    sliced: number;
  };
}

type SlowMode = 'mixed' | 'snapshot' | 'snapshotOldReceiver' | 'atomic';

export function createCounts(): AttackCounts {
  const early = { completed: 0, dropped: 0, purgedMeanwhile: 0, learnedMeanwhile: 0, askedAgain: 0, sliced: 0 };
  return { detected: 0, liveSets: 0, sent: 0, resumed: 0, early };
}
