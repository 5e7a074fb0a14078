import type { Moment } from './conflicts/index.ts';
import type { Draft } from './draft.ts';

/** A service that records something of every commit, in the same transaction. */
export interface CommitRecorder {
  /** Adds its records to a draft that is about to be committed. */
  record(draft: Draft, now: Moment): void;
  /** Adds the deletion of records that are old enough to a draft. */
  forgetOld(draft: Draft, livedMs: number): void;
  /** Drops what it has in memory: a commit failed, or commits were lost. */
  reset(): void;
}
