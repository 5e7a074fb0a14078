import type { LogLimits, Store, StoreBatch } from '../../store/index.ts';

/** A store under test and what its kind can do beyond the port. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again from what is durable. Absent: it does not survive that. */
  readonly reopen?: () => Promise<Store>;
  /**
   * Hands a second store to `read`: what a new process would find if this one ended now, without a word. Absent: its kind
   * does not survive that.
   */
  readonly afterCrash?: (read: (found: Store) => void) => Promise<void>;
  /** Makes this commit fail half-way. */
  readonly failCommit: (store: Store, batch: StoreBatch) => void;
  /** Frees everything, whether the store was closed or not. */
  readonly dispose: () => Promise<void>;
}

export interface StoreConformanceOptions {
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** A new, empty store. */
  readonly factory: (limits?: LogLimits) => Promise<StoreUnderTest>;
  /** Multiplies the number of random histories. Default 1. */
  readonly scale?: number;
}

/** Registers one test on a new store. */
export type Claim = (name: string, run: (under: StoreUnderTest) => Promise<void> | void, limits?: LogLimits) => void;
