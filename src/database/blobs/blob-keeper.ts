import { type Clock, sleep } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { Random } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { LocalBlobs } from './blobs.ts';

export interface BlobKeeperDeps {
  readonly blobs: LocalBlobs;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How long a blob must have been without a reference, in ms; 0: no blob is collected. Called before each pass. */
  readonly graceMs: () => number;
}

/**
 * Collects unreferenced blobs in the background: some minutes after the start, so that short-lived processes skip it, and
 * then daily. The database keeps how long each blob has been without a reference, but not the progress of a pass: one that
 * was interrupted starts from the beginning.
 */
export class BlobKeeper {
  readonly #deps: BlobKeeperDeps;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #collected = 0;

  constructor(deps: BlobKeeperDeps) {
    this.#deps = deps;
  }

  /** Blobs deleted since the start. */
  get collected(): number {
    return this.#collected;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves after the step under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort(new DOMException('the database is closing', 'AbortError'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, logger } = this.#deps;
    const { signal } = this.#stop;
    // The delay is random so that nodes started together do not all read everything at the same moment.
    const firstMs = Math.round(TIMES.blobCollectDelayMs * (1 + random.next()));
    for (let delayMs: number = firstMs; !signal.aborted; delayMs = TIMES.blobCollectIntervalMs) {
      try {
        await sleep(clock, delayMs, signal);
        await this.#pass();
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'unreferenced blobs were not collected; it is tried again');
      }
    }
  }

  async #pass(): Promise<void> {
    const { blobs, clock, logger, graceMs } = this.#deps;
    const { signal } = this.#stop;
    if (graceMs() === 0) return;
    try {
      const done = await blobs.collectSlowly({ olderThanMs: graceMs(), signal, clock });
      if (done === undefined) return;
      this.#collected += done.blobs;
      if (done.blobs > 0) logger.info({ ...done }, 'blobs that no document refers to were deleted');
    } catch (error) {
      // A node that does not hold all collections leaves this to the nodes that do.
      if (!isEntglDbError(error, 'COLLECTION_NOT_WANTED')) throw error;
    }
  }
}
