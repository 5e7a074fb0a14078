import { type Clock, SliceSize } from '../core/clock/index.ts';
import { isEntglDbError, SyncError } from '../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import type { Replica } from './replica/index.ts';

/** Bounds of the documents purged, resolved again or evicted in one commit. */
const SLICE_DOCUMENTS_MIN = 16;
const SLICE_DOCUMENTS_MAX = 1024;

export interface BackgroundTimes {
  /** How long tombstones are kept (R7), ms. */
  readonly tombstoneRetentionMs: number;
  /** Pause between two passes, ms. */
  readonly purgeIntervalMs: number;
}

export interface BackgroundWorkDeps {
  readonly replica: Replica;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly times: BackgroundTimes;
  readonly soon: (run: () => void) => void;
  /** Whether other nodes hold every version that this node wrote in the collection (R12). */
  readonly isConfirmed: (collection: CollectionName) => boolean;
  /**
   * Called when sessions must end and peers discard what they believed: the replica id is new and knowledge was forgotten
   * (`identity`), wants changed (`wants`), or commits were lost because the disk failed (`restored`).
   */
  readonly onSessionsVoid: (why: 'identity' | 'wants' | 'restored') => void;
  readonly onDamage: (error: unknown) => void;
}

/**
 * Background work of a database: purges old tombstones (R7), resolves documents again after their resolver changed (R3), and
 * removes evicted collections (R12). It works in slices of one commit each, with a turn of the event loop in between. A
 * failure is reported, and the next pass tries again.
 */
export class BackgroundWork {
  readonly #deps: BackgroundWorkDeps;
  readonly #evictions = new Map<CollectionName, Promise<void>>();
  #isStopped = false;
  #isPassing = false;
  #isDueAgain = false;
  #cancelTimer: () => void = () => {};

  constructor(deps: BackgroundWorkDeps) {
    this.#deps = deps;
  }

  /** Begins the first pass soon. Further ones follow after pauses of `purgeIntervalMs`. */
  start(): void {
    this.#deps.soon(() => void this.#pass());
  }

  /** For a changed resolver: begins the next pass soon, or when the running one has ended. */
  startSoon(): void {
    this.#isDueAgain = this.#isPassing;
    this.#cancelTimer();
    this.start();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  narrow(collection: CollectionName): void {
    this.#want(collection, false);
  }

  async widen(collection: CollectionName): Promise<void> {
    if (this.#deps.replica.evictions.isPending(collection)) await this.#evictRows(collection);
    this.#want(collection, true);
  }

  /** Resolves when all rows are removed. */
  evict(collection: CollectionName): Promise<void> {
    const { replica, isConfirmed, onSessionsVoid, logger } = this.#deps;
    if (replica.evictions.isPending(collection)) return this.#evictRows(collection);
    if (replica.collection(collection).fingerprint.count > 0 && !isConfirmed(collection)) throw refused(collection);
    logger.info({ ...replica.evictions.begin(collection) }, 'a collection is evicted');
    onSessionsVoid('identity');
    return this.#evictRows(collection);
  }

  #want(collection: CollectionName, isWanted: boolean): void {
    const { replica, onSessionsVoid } = this.#deps;
    if ((replica.collection(collection).state === 'wanted') === isWanted) return;
    replica.setWanted(collection, isWanted);
    onSessionsVoid('wants');
  }

  /** Begins or joins the removal of the rows. */
  #evictRows(collection: CollectionName): Promise<void> {
    const running = this.#evictions.get(collection);
    if (running !== undefined) return running;
    const work = this.#slices((documents) => this.#deps.replica.evictions.dropRows(collection, documents)).finally(() =>
      this.#evictions.delete(collection),
    );
    this.#evictions.set(collection, work);
    return work;
  }

  async #pass(): Promise<void> {
    if (this.#isStopped || this.#isPassing) return;
    this.#isPassing = true;
    await this.#guarded(() => this.#resumeEvictions());
    await this.#guarded(() => this.#resolveAgain());
    await this.#guarded(() => this.#purge());
    this.#isPassing = false;
    if (this.#isStopped) return;
    if (this.#isDueAgain) {
      this.#isDueAgain = false;
      return this.start();
    }
    this.#cancelTimer = this.#deps.clock.setTimer(this.#deps.times.purgeIntervalMs, () => void this.#pass());
  }

  async #resumeEvictions(): Promise<void> {
    for (const collection of this.#deps.replica.evictions.pending()) await this.#evictRows(collection);
  }

  async #resolveAgain(): Promise<void> {
    const { replica, logger } = this.#deps;
    for (const collection of replica.staleValues.collections()) {
      let after: DocumentKey | null = null;
      await this.#slices((documents) => {
        after = replica.staleValues.resolveAgain(collection, after, documents);
        return after === null;
      });
      logger.info({ collection }, 'documents were resolved again after a change of the resolver');
    }
  }

  async #purge(): Promise<void> {
    const { replica, times } = this.#deps;
    await this.#slices((documents) => replica.purge(times.tombstoneRetentionMs, documents).purged < documents);
  }

  /** Runs slices until one returns true because it was the last, then makes the work durable. */
  async #slices(runSlice: (documents: number) => boolean): Promise<void> {
    const size = new SliceSize({ min: SLICE_DOCUMENTS_MIN, max: SLICE_DOCUMENTS_MAX });
    const monotonic = (): number => this.#deps.clock.monotonic();
    while (!this.#isStopped && !size.run(monotonic, runSlice))
      await new Promise<void>((resolve) => this.#deps.soon(resolve));
    if (!this.#isStopped) await this.#deps.replica.flush();
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      if (!this.#isStopped) await work();
    } catch (error) {
      if (this.#isStopped) return;
      if (isEntglDbError(error, 'DOCUMENT_CORRUPT')) this.#deps.onDamage(error);
      else this.#deps.logger.error({ err: error }, 'maintenance of the database failed and is tried again');
    }
  }
}

function refused(collection: CollectionName): SyncError {
  return new SyncError(
    'EVICT_REFUSED',
    `collection ${JSON.stringify(collection)} holds writes of this node that no other node has confirmed; ` +
      'let it sync first, or its documents would be lost',
    { details: { collection } },
  );
}
