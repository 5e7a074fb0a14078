import { type Clock, SliceSize, sleep, TURN_MS } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { type Damage, damagedDocument, type StoredDocument } from '../../store/index.ts';

export interface ScrubberOptions {
  /** The store itself, not a cache in front of it. */
  readonly store: ScrubbedStore;
  readonly collections: () => Iterable<CollectionName>;
  readonly clock: Clock;
  /** Megabytes (1024 × 1024 bytes) per second; down to about a tenth of it while the event loop is busy. 0: nothing is read. Default 2. */
  readonly megabytesPerSecond?: number;
  /** Pause between two passes over everything, ms. Default 600,000. */
  readonly passPauseMs?: number;
  /** Checks the file's own structures once per `fileCheckIntervalMs`, in another thread. Default: not done. */
  readonly checkFile?: (signal: AbortSignal) => AsyncIterable<Damage>;
  /** Time between two checks of the file, ms. Default: a day. */
  readonly fileCheckIntervalMs?: number;
  readonly onDamage: (damage: Damage) => void;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** A store that verifies documents when it reads them. */
export interface ScrubbedStore {
  documents(
    collection: CollectionName,
    afterKey: DocumentKey | null,
    limit: number,
    except?: ReadonlySet<DocumentKey>,
  ): StoredDocument[];
}

const MB = 1024 * 1024;
const SLICE_DOCUMENTS_MAX = 256;
/** Assumed bytes of a row besides its value. */
const ROW_BYTES = 200;
/** Most rests in a row while other work needs the event loop. */
const RESTS_MAX = 10;

/**
 * Reads all documents again and again, slowly and in short slices, so that damage is found while a peer or a backup still has what
 * is lost. Each slice is a separate read: no transaction stays open between two. It is never urgent, so it gives way to other work.
 */
export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #logger: Logger;
  readonly #stop = new AbortController();
  #bytesPerSecond: number;
  #isStarted = false;
  #running: Promise<void> | undefined;
  #resumed: PromiseWithResolvers<void> | undefined;
  readonly #slices = new SliceSize({ min: 1, max: SLICE_DOCUMENTS_MAX });
  #fileCheckedAt = Number.NEGATIVE_INFINITY;
  #fileCheckDueAt = Number.POSITIVE_INFINITY;
  #lastPassAt: number | null = null;

  /** Throws RangeError if the speed is not a number from 0 to 1,000. */
  constructor(options: ScrubberOptions) {
    this.#bytesPerSecond = bytesPerSecond(options.megabytesPerSecond ?? 2);
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  /** Wall clock of the end of the last pass that found nothing, ms; null: none yet. */
  get lastPassAt(): number | null {
    return this.#lastPassAt;
  }

  /** Begins the first pass; does nothing if the speed is 0. */
  start(): void {
    if (!this.#isStarted) this.#fileCheckDueAt = this.#options.clock.monotonic() + TIMES.fileCheckDelayMs;
    this.#isStarted = true;
    if (this.#bytesPerSecond > 0) this.#running ??= this.#run();
  }

  /** Changes the speed from the next slice on; 0 pauses the pass where it is. Throws RangeError as the constructor does. */
  setSpeed(megabytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond(megabytesPerSecond);
    if (this.#bytesPerSecond === 0) return this.#pause();
    this.#resume();
    if (this.#isStarted && !this.#stop.signal.aborted) this.start();
  }

  /** Ends after the slice under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort(new DOMException('the integrity scrub was stopped', 'AbortError'));
    this.#resume();
    await this.#running;
  }

  /** Begins no further slice until resumed. */
  #pause(): void {
    this.#resumed ??= Promise.withResolvers();
  }

  #resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { clock, passPauseMs = TIMES.scrubPauseMs } = this.#options;
    while (!signal.aborted) {
      try {
        if (await this.#pass(signal)) this.#lastPassAt = clock.now();
        await sleep(clock, passPauseMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.error({ err: error }, 'the integrity scrub was interrupted; it begins again later');
        await sleep(clock, passPauseMs, signal).catch(() => {
          // Stopped meanwhile, so the loop ends.
        });
      }
    }
  }

  /** True when nothing was found. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    let found = 0;
    const report = (damage: Damage): void => {
      found++;
      this.#options.onDamage(damage);
    };
    for (const collection of [...this.#options.collections()]) await this.#scrub(collection, report, signal);
    await this.#checkFile(report, signal);
    if (found > 0) this.#logger.fatal({ found }, 'the integrity scrub found damage');
    else this.#logger.debug({}, 'the integrity scrub found everything sound');
    return found === 0;
  }

  async #scrub(collection: CollectionName, report: (damage: Damage) => void, signal: AbortSignal): Promise<void> {
    const damaged = new Set<DocumentKey>();
    for (let after: DocumentKey | null = null; ; ) {
      await this.#resumed?.promise;
      signal.throwIfAborted();
      const limit = this.#slices.items;
      const page = this.#slice(collection, after, damaged, report);
      if (page === undefined) continue;
      const bytes = page.reduce((sum, { value }) => sum + ROW_BYTES + (value?.length ?? 0), 0);
      await this.#rest((bytes / this.#bytesPerSecond) * 1000, signal);
      if (page.length < limit) return;
      after = page.at(-1)!.key;
    }
  }

  /** Rests for `ms`, and again while its timer fires late, which means that the program needs the event loop for itself. */
  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (let rests = 0; rests < RESTS_MAX; rests++) {
      const dueMs = clock.monotonic() + ms;
      await sleep(clock, ms, signal);
      if (clock.monotonic() - dueMs < TURN_MS) return;
    }
  }

  /** Reads a slice; undefined if it met a damaged document, which is skipped from then on. */
  #slice(
    collection: CollectionName,
    after: DocumentKey | null,
    damaged: Set<DocumentKey>,
    report: (damage: Damage) => void,
  ): StoredDocument[] | undefined {
    const { store, clock } = this.#options;
    const monotonic = (): number => clock.monotonic();
    try {
      return this.#slices.run(monotonic, (documents) => store.documents(collection, after, documents, damaged));
    } catch (error) {
      const key = damagedDocument(error)?.key;
      if (key === undefined || damaged.has(key)) throw error;
      damaged.add(key);
      report({ kind: 'document', collection, key, problem: (error as Error).message });
      return undefined;
    }
  }

  async #checkFile(report: (damage: Damage) => void, signal: AbortSignal): Promise<void> {
    const { checkFile, clock, fileCheckIntervalMs = TIMES.fileCheckIntervalMs } = this.#options;
    if (checkFile === undefined || clock.monotonic() - this.#fileCheckedAt < fileCheckIntervalMs) return;
    const waitMs = this.#fileCheckDueAt - clock.monotonic();
    if (waitMs > 0) await sleep(clock, waitMs, signal);
    for await (const damage of checkFile(signal)) report(damage);
    signal.throwIfAborted();
    this.#fileCheckedAt = clock.monotonic();
  }
}

function bytesPerSecond(megabytes: number): number {
  if (megabytes >= 0 && megabytes <= 1000) return megabytes * MB;
  throw new RangeError(`megabytesPerSecond is ${megabytes}; give 0 to 1,000`);
}
