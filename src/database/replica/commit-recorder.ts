import type { Moment } from './conflict-ledger.ts';
import type { Draft } from './draft.ts';

/** Adds to commits what a service keeps of them, in the same transaction. */
export interface CommitRecorder {
  /** The draft is about to be committed. */
  record(draft: Draft, now: Moment): void;
  /** Adds to a draft that what was kept long enough goes. */
  forgetOld(draft: Draft, livedMs: number): void;
  /** The commit failed, or commits were lost: what is remembered of them is read again. */
  reset(): void;
}
