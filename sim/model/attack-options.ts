/** What an attack does to the world, and which candidate rules it tries. An absent option is off. */
export interface AttackOptions {
  /** Old backups take their node's place, under a new replica id. */
  readonly restore?: boolean;
  /** Rows become unreadable (R11). */
  readonly damage?: boolean;
  /** Running nodes are copied, identity and all. */
  readonly clone?: boolean;
  /** Nodes fall back to a backup with their old identity. */
  readonly rollback?: boolean;
  /** R9 at meeting: a peer that knows more of my writes than I do proves that I am a copy or was rolled back. */
  readonly detect?: boolean;
  /** Knowledge carries checks (R9): two for one seq prove a fork. */
  readonly chain?: boolean;
  /** After detection, versions since the fork are written again. Their context: what they replaced, and their old dot (R9). */
  readonly rewrite?: boolean;
  /** After detection, versions since the fork are renamed, with contexts cut at the fork. Rejected in favour of `rewrite`. */
  readonly reauthor?: boolean;
  /** Resume cursors of R4. */
  readonly cursors?: CursorRule;
  /** One round in this many is cut. Default: 4. */
  readonly cutOneIn?: number;
  /** How a live set that takes several messages is claimed (slow-session.ts). */
  readonly slow?: SlowMode;
  /** Messages between description and claim. Default: 2. */
  readonly window?: number;
  /** R5 as ADR 0002 decided it (early-session.ts). */
  readonly early?: EarlyOptions;
  /** Up to this many session steps follow each other with nothing in between. */
  readonly burst?: number;
  /** Weights under which sessions mostly overlap with purges, pushes and each other. */
  readonly isContended?: boolean;
  /** A collection is dropped and wanted again: under the same id, under a new one, or under the same with its purge line kept. */
  readonly narrow?: 'sameId' | 'newId' | 'keepLine';
  /** Known lines are pruned from contexts. The purge line stays, or rises over the line, or over the version's own dot. */
  readonly prune?: 'silently' | 'raiseLine' | 'raiseDot';
  readonly pruneKnownOnly?: boolean;
  /** Where two copies of one dot have different contexts, the contexts are joined. */
  readonly joinContexts?: boolean;
  /** A pruned version says so, and raises the purge line wherever it arrives. */
  readonly pruneFlagTravels?: boolean;
  /** Knowledge also holds single dots above its seq. */
  readonly extraDots?: boolean;
}

/** How resume cursors (R4) are kept. The rule in use is `capped`; the others were refuted. */
export type CursorRule =
  /** Never above the sender's knowledge when its stream began, and valid only for the same process of the sender. */
  | 'capped'
  /** As high as what was sent. */
  | 'naive'
  /** Never above the sender's knowledge when it sends. */
  | 'cappedLate'
  /** Capped, but valid for the sender's id, whichever process comes under it. */
  | 'anyProcess'
  /** Capped, but kept even when the receiver loses rows. */
  | 'outlivesRows';

/** Variants of the live set in several messages (ADR 0002). With none of them: the rule as decided, but in lock-step. */
export interface EarlyOptions {
  /** Messages in both directions wait in queues; otherwise each is answered within the same step. */
  readonly isQueued?: boolean;
  /** Claims in one session. Default: 1. */
  readonly claims?: number;
  /** Refuted: the claim carries the knowledge of its own moment instead of the beginning's. */
  readonly claimsLaterKnowledge?: boolean;
  /** Refuted: the claim carries the purge line of the beginning, or none, instead of that of its own moment. */
  readonly purgeLine?: 'ofBeginning' | 'none';
  /** Refuted: rows that arrived while the claim travelled are kept without asking about them. */
  readonly doesNotAskAgain?: boolean;
  /** What no answer mentioned is dropped. Refuted together with later knowledge; no counterexample with early knowledge. */
  readonly dropsUnconfirmed?: boolean;
  /** Refuted: answers do not stream what changed before them. */
  readonly answersBeforeChanges?: boolean;
  /** Refuted: a tombstone is dropped even if the claim does not cover all that it replaced. */
  readonly dropsNeededTombstones?: boolean;
  /** Versions that are gone are dropped one by one before the claim is adopted, with other events in between. */
  readonly slices?: SliceRule;
}

/** Which versions may go before the claim that covers them is adopted. The rule in use is `known`; the others were refuted. */
export type SliceRule =
  /** Those that the receiver knows together with their whole context, so that nothing can come back. The purge line rises first. */
  | 'known'
  /** The same, but the purge line waits for the claim. */
  | 'lineLate'
  /** All, as if the claim were adopted already. Until it is, what they replaced can be seen again. */
  | 'all';

/** What happened in a schedule. It tells a clean verdict from one of a schedule that never reached the case. */
export interface AttackCounts {
  detected: number;
  liveSets: number;
  sent: number;
  /** Versions that a stream skipped because an earlier one had brought them. */
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
