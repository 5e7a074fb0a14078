import type { LogLimits, Store, StoreBatch } from '../../store/index.ts';

/** A store under test, and what its kind can do beyond the port. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and reopens it from what is durable. Absent: it does not survive closing. */
  readonly reopen?: () => Promise<Store>;
  /**
   * Hands a second store to `read`, with what a new process would find if this one were killed now. Absent: its kind does not
   * survive that.
   */
  readonly afterCrash?: (read: (found: Store) => void) => Promise<void>;
  /** Makes this commit fail half-way. */
  readonly failCommit: (store: Store, batch: StoreBatch) => void;
  /** Releases everything, whether the store was closed or not. */
  readonly dispose: () => Promise<void>;
}

export interface StoreConformanceOptions {
  /** The test function of your runner. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** Creates a new, empty store. */
  readonly factory: (limits?: LogLimits) => Promise<StoreUnderTest>;
  /** Multiplies the number of random histories. Default 1. */
  readonly scale?: number;
}

/** Registers one test on a new store. */
export type Claim = (name: string, run: (under: StoreUnderTest) => Promise<void> | void, limits?: LogLimits) => void;
