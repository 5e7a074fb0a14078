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

/** How resume cursors (R4) are kept. The rule is `capped`; the others were refuted. */
export type CursorRule =
  /** Never above the sender's knowledge when its stream began, and only for the same process of the sender. */
  | 'capped'
  /** As high as what was sent. */
  | 'naive'
  /** Never above the sender's knowledge when it sends. */
  | 'cappedLate'
  /** Capped, but for the sender's id, whichever process of it comes. */
  | 'anyProcess'
  /** Capped, but kept although the receiver lost rows. */
  | 'outlivesRows';

/** Variants of the live set in several messages (docs/adr/0002). All absent: the rule as decided, but in lock-step. */
export interface EarlyOptions {
  /** Messages of both directions wait in queues; otherwise each is answered within the same step. */
  readonly isQueued?: boolean;
  /** Claims in one session; default 1. */
  readonly claims?: number;
  /** Refuted: knowledge of the claim's moment instead of the beginning's. */
  readonly claimsLaterKnowledge?: boolean;
  /** Refuted: the purge line of the beginning, or none, instead of the claim's. */
  readonly purgeLine?: 'ofBeginning' | 'none';
  /** Refuted: rows that came while the claim travelled are not asked about, and kept. */
  readonly doesNotAskAgain?: boolean;
  /** What no answer mentioned is dropped: refuted together with later knowledge, no counterexample with early knowledge. */
  readonly dropsUnconfirmed?: boolean;
  /** Refuted: answers do not stream first what changed. */
  readonly answersBeforeChanges?: boolean;
  /** Refuted: a tombstone is dropped although not all that it replaced is known under the claim. */
  readonly dropsNeededTombstones?: boolean;
  /** Versions that are gone are dropped one by one before the claim is adopted, with anything between; see `SliceRule`. */
  readonly slices?: SliceRule;
}

/** Which versions may go before the claim that covers them is adopted. The rule is `known`; the others were refuted. */
export type SliceRule =
  /** Those that the receiver knows, and whose whole context it knows: nothing of it can come back. The purge line goes ahead. */
  | 'known'
  /** The same, but the purge line waits for the claim. */
  | 'lineLate'
  /** All, as if the claim was adopted already: what was replaced can be seen again until it is. */
  | 'all';

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
