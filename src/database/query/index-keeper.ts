import { abortable, type Clock } from '../../core/clock/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { type IndexDefinition, type IndexSpec, parseIndex } from '../../core/query/index.ts';
import { FILLING_COMMIT_MIN, type Store, type StoredIndex } from '../../store/index.ts';
import type { EnsureIndexOptions, IndexInfo } from './query-api.ts';

/** How long to wait before looking for work again, after a failed step or when there was no work, in ms. */
const LOOK_AGAIN_MS = 60_000;

/** A collection counts as being filled until no large commit has come for this time, in ms. Building waits until then. */
const FILLING_PAUSE_MS = 300;
/** Maximum time that building waits, in ms: over a slow network, filling may take hours. */
const FILLING_MS_MAX = 60_000;

export interface IndexKeeperDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Calls `run` in a later turn of the event loop. */
  readonly soon: (run: () => void) => void;
  readonly onDamage: (error: unknown) => void;
}

/** Indexes of a collection. */
export interface HeldIndexes {
  readonly unique: readonly IndexDefinition[];
  /** Those that hold a document under several keys, one for each item or word. */
  readonly several: readonly IndexDefinition[];
}

/** Builds indexes in the background: one short step of the store in each turn of the event loop, while there is work. */
export class IndexKeeper {
  readonly #deps: IndexKeeperDeps;
  /** The indexes that the program declared since it opened the database. */
  #declared: (readonly [CollectionName, IndexDefinition])[] = [];
  readonly #held = new Map<CollectionName, HeldIndexes>();
  readonly #listeners = new Set<() => void>();
  #running: Promise<void> | undefined;
  /** Whether declared indexes may be missing in the store. */
  #isAddDue = true;
  #isStopped = false;
  #cancelLook = (): void => {};
  /** Monotonic time of the first and of the newest large commit. */
  #fillingSince = Number.NEGATIVE_INFINITY;
  #filledLast = Number.NEGATIVE_INFINITY;
  #endPause = (): void => {};
  /** Calls of `ensure` that wait for an index. */
  #asked = 0;

  constructor(deps: IndexKeeperDeps) {
    this.#deps = deps;
  }

  /** Continues the work that was not finished when the database was closed. */
  start(): void {
    this.#deps.soon(() => void this.#work());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook();
    this.#endPause();
  }

  /** Declares indexes of a collection, which are built in the background. Throws INVALID_INDEX. */
  declare(collection: CollectionName, specs: readonly IndexSpec[]): void {
    for (const definition of specs.map(parseIndex)) {
      this.#forget(collection, definition.name);
      this.#declared.push([collection, definition]);
    }
    this.#held.delete(collection);
    this.#isAddDue = true;
    void this.#work();
  }

  /** Takes note of a commit of this number of documents. After a large one, the store may have let indexes fall behind. */
  committed(documents: number): void {
    if (documents < FILLING_COMMIT_MIN) return;
    const now = this.#deps.clock.monotonic();
    if (now - this.#filledLast >= FILLING_PAUSE_MS) this.#fillingSince = now;
    this.#filledLast = now;
    void this.#work();
  }

  /** Adds an index and resolves when it is built. */
  async ensure(collection: CollectionName, spec: IndexSpec, options: EnsureIndexOptions = {}): Promise<IndexInfo> {
    options.signal?.throwIfAborted();
    const definition = parseIndex(spec);
    this.#deps.store.addIndex(collection, definition);
    this.#forget(collection, definition.name);
    this.#held.delete(collection);
    const { onProgress } = options;
    const tell = (): void => onProgress?.(this.#find(collection, definition.name)?.progress ?? 1);
    if (onProgress !== undefined) this.#listeners.add(tell);
    this.#asked++;
    this.#endPause();
    try {
      let held = this.#find(collection, definition.name);
      while (held !== undefined && !held.isReady) {
        await abortable(this.#work(true), options.signal);
        held = this.#find(collection, definition.name);
      }
      tell();
    } finally {
      this.#asked--;
      this.#listeners.delete(tell);
    }
    return toInfo(this.#find(collection, definition.name) ?? { definition, isReady: true, progress: 1 });
  }

  drop(collection: CollectionName, name: string): boolean {
    const isRemoved = this.#deps.store.removeIndex(collection, name);
    this.#forget(collection, name);
    this.#held.delete(collection);
    void this.#work();
    return isRemoved;
  }

  list(collection: CollectionName): IndexInfo[] {
    return this.#deps.store.indexes(collection).map(toInfo);
  }

  /** The indexes of the collection that a write must be checked against. */
  heldOf(collection: CollectionName): HeldIndexes {
    let found = this.#held.get(collection);
    if (found === undefined) {
      const declared = this.#declared.filter(([name]) => name === collection).map(([, definition]) => definition);
      const held = this.#deps.store.indexes(collection).map(({ definition }) => definition);
      const all = [...held, ...declared];
      found = { unique: all.filter(({ isUnique }) => isUnique), several: all.filter(({ kind }) => kind !== 'values') };
      this.#held.set(collection, found);
    }
    return found;
  }

  #find(collection: CollectionName, name: string): StoredIndex | undefined {
    return this.#deps.store.indexes(collection).find(({ definition }) => definition.name === name);
  }

  /** Waits for the current work, or starts it. Rejects with its error only if `isAsked`. */
  async #work(isAsked = false): Promise<void> {
    this.#running ??= this.#steps().finally(() => {
      this.#running = undefined;
      if (this.#isAddDue && !this.#isStopped) void this.#work();
    });
    try {
      await this.#running;
    } catch (error) {
      if (isAsked) throw error;
    }
  }

  async #steps(): Promise<void> {
    const { store, soon } = this.#deps;
    const turn = (): Promise<void> => new Promise((resolve) => soon(resolve));
    try {
      // Starts in a later turn: opening a collection must not wait for the disk.
      for (await turn(); !this.#isStopped; await turn()) {
        if (this.#isAddDue) this.#addDeclared();
        await this.#whileFilling();
        if (this.#isStopped) return;
        if (!store.workOnIndexes()) return this.#lookAgainLater();
        for (const tell of this.#listeners) tell();
      }
    } catch (error) {
      if (this.#isStopped) return;
      this.#retryLater(error);
      throw error;
    }
  }

  async #whileFilling(): Promise<void> {
    const { clock } = this.#deps;
    for (;;) {
      const now = clock.monotonic();
      const restMs = Math.min(this.#filledLast + FILLING_PAUSE_MS, this.#fillingSince + FILLING_MS_MAX) - now;
      if (this.#isStopped || this.#asked > 0 || restMs <= 0) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.setTimer(restMs, resolve);
        this.#endPause = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  #addDeclared(): void {
    this.#isAddDue = false;
    for (const [collection, definition] of this.#declared) {
      if (this.#find(collection, definition.name)?.definition.text === definition.text) continue;
      this.#deps.store.addIndex(collection, definition);
      this.#held.delete(collection);
    }
  }

  #forget(collection: CollectionName, index: string): void {
    this.#declared = this.#declared.filter(([name, definition]) => name !== collection || definition.name !== index);
  }

  #retryLater(error: unknown): void {
    const { logger, onDamage } = this.#deps;
    if (isEntglDbError(error, 'DOCUMENT_CORRUPT')) onDamage(error);
    else logger.error({ err: error }, 'indexes could not be built and are tried again');
    this.#lookAgainLater();
  }

  #lookAgainLater(): void {
    this.#cancelLook();
    if (!this.#deps.store.supports.indexes) return;
    this.#cancelLook = this.#deps.clock.setTimer(LOOK_AGAIN_MS, () => {
      // A failed flush may have undone the commit that added a declared index.
      this.#isAddDue = true;
      void this.#work();
    });
  }
}

function toInfo({ definition, isReady, progress }: StoredIndex): IndexInfo {
  const { on } = JSON.parse(definition.text) as { readonly on: readonly string[] };
  return { name: definition.name, on, state: isReady ? 'ready' : 'building', progress };
}
