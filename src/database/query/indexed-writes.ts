import type { Limits } from '../../core/config/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { DamageReports } from '../damage-reports.ts';
import type { LocalWrite, Replica } from '../replica/index.ts';
import type { Guard, Writer } from '../writer.ts';
import { checkEntries } from './check-entries.ts';
import { checkUnique } from './check-unique.ts';
import type { IndexKeeper } from './index-keeper.ts';

export interface IndexedWritesDeps {
  readonly replica: Replica;
  readonly damage: DamageReports;
  readonly writer: Writer;
  readonly limits: Pick<Limits, 'indexEntriesMax'>;
}

/** Holds local writes to the indexes of their collections. */
export class IndexedWrites {
  readonly #indexes: IndexKeeper;
  readonly #deps: IndexedWritesDeps;

  constructor(indexes: IndexKeeper, deps: IndexedWritesDeps) {
    this.#indexes = indexes;
    this.#deps = deps;
  }

  /**
   * Throws DOCUMENT_TOO_LARGE or UNIQUE_VIOLATION for writes to a collection. While the database is locked, the latter shows only when the writes before
   * have been committed: then it returns a guard for the commit of these.
   */
  check(collection: CollectionName, writes: readonly LocalWrite[]): Guard | undefined {
    const { replica, damage, writer, limits } = this.#deps;
    const { unique, several } = this.#indexes.heldOf(collection);
    if (several.length > 0) checkEntries(collection, several, writes, limits.indexEntriesMax);
    if (unique.length === 0) return undefined;
    writer.commitPending();
    const check = (): void => damage.of(() => checkUnique(replica.store, collection, unique, writes));
    return writer.isLocked ? () => refusalOf(check) : void check();
  }

  /** As `check`, for a transaction that has a guard already. */
  checkWhole(parts: ReadonlyMap<CollectionName, readonly LocalWrite[]>, guard: Guard): Guard {
    const guards = [guard, ...[...parts].map(([collection, writes]) => this.check(collection, writes))];
    return () => guards.reduce<Error | undefined>((refusal, each) => refusal ?? each?.(), undefined);
  }
}

function refusalOf(check: () => void): Error | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
