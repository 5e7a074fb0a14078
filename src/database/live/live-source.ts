import type { Limits } from '../../core/config/index.ts';
import type { Replica } from '../replica/index.ts';
import type { ChangedDocument } from './changed-document.ts';
import type { LiveView } from './live-view.ts';

/** Bounds of changes that are kept for later. Beyond them, the changes are dropped and the views are read again. */
export type BacklogLimits = Pick<Limits, 'liveBacklogMax' | 'liveBacklogCharactersMax'>;

export interface LiveSourceDeps<State> {
  readonly replica: Pick<Replica, 'pos' | 'durablePos' | 'flush'>;
  readonly view: LiveView<State>;
  /** Called with each new durable state. */
  readonly onState: (state: State) => void;
  /** Called if the first reading fails asynchronously. */
  readonly onFailure: (error: unknown) => void;
  /** Bounds of the changes kept while a view is read outside the event loop. Beyond them, it is read synchronously. */
  readonly limits: BacklogLimits;
}

/** A view that is being read outside the event loop, and the changes since then. */
interface Joining {
  readonly stop: AbortController;
  /** The newest states of the documents whose changes became durable since the reading started. */
  readonly missed: Map<string, ChangedDocument>;
  /** Length of their texts. */
  characters: number;
  documents: number;
  /** Set when the reading is done: once this position is durable, everything that was read is. */
  pos: number | undefined;
}

/**
 * Keeps one view current. A view that was just read from the store may be ahead of what is durable. It is held until that has
 * caught up, and no change is applied before it is shown, so steady writing cannot delay it forever.
 *
 * A view that is read outside the event loop shows the store as of an unknown moment during the reading. So the changes that
 * become durable are kept until everything is durable that was committed when the reading was done. Applying the newest state
 * of each changed document then makes the view what it would be if it had been read at that moment.
 */
export class LiveSource<State> {
  readonly #deps: LiveSourceDeps<State>;
  #held: { readonly state: State; readonly pos: number } | undefined;
  #joining: Joining | undefined;
  #shown: { readonly state: State } | undefined;
  #isStale = false;

  constructor(deps: LiveSourceDeps<State>) {
    this.#deps = deps;
  }

  /** Whether the next `advance` has something to do even without changes. */
  get isWaiting(): boolean {
    return this.#isStale || this.#held !== undefined || this.#joining !== undefined;
  }

  /** Reads the view for the first time. Throws what the store throws, or passes it to `onFailure` later. */
  begin(): void {
    const stop = new AbortController();
    const joining: Joining = { stop, missed: new Map(), characters: 0, documents: 0, pos: undefined };
    const reading = this.#deps.view.loadAside(stop.signal);
    if (!(reading instanceof Promise)) return this.#loaded(reading);
    this.#joining = joining;
    const isWanted = (): boolean => this.#joining === joining;
    const whenWanted = (run: () => void): void => {
      try {
        if (isWanted()) run();
      } catch (error) {
        this.#deps.onFailure(error);
      }
    };
    reading.then(
      (take) => whenWanted(() => this.#arrived(joining, take)),
      (error: unknown) => whenWanted(() => this.#deps.onFailure(error)),
    );
  }

  /** Reads the view from the store. Throws what the store throws. */
  load(): void {
    this.stop();
    this.#loaded(() => this.#deps.view.load());
  }

  /** Aborts a reading under way. */
  stop(): void {
    this.#joining?.stop.abort();
    this.#joining = undefined;
  }

  /** Makes the next `advance` read the view again: changes were lost, or there were too many to keep. */
  invalidate(): void {
    this.stop();
    this.#isStale = true;
    this.#held = undefined;
  }

  /** Applies changes that became durable. Throws what the store throws. */
  advance(changes: ReadonlyMap<string, ChangedDocument>, documents: number): void {
    if (this.#isStale) return this.load();
    if (this.#joining !== undefined) return this.#miss(this.#joining, changes, documents);
    this.#showHeld();
    if (this.#held !== undefined) return;
    // Changes that the view had already read are the newest of their documents, so applying them again has no effect.
    this.#apply(changes, documents);
  }

  #loaded(take: () => void): void {
    const { view, replica } = this.#deps;
    take();
    this.#isStale = false;
    this.#held = { state: view.state(), pos: replica.pos };
    this.#showHeld();
    // Perhaps nobody else causes a flush. If it fails, the replica reloads, and that is what this reacts to.
    if (this.#held !== undefined) replica.flush().catch(() => {});
  }

  #arrived(joining: Joining, take: () => void): void {
    const { replica } = this.#deps;
    take();
    joining.pos = replica.pos;
    this.#join(joining);
    if (this.#joining !== undefined) replica.flush().catch(() => {});
  }

  #miss(joining: Joining, changes: ReadonlyMap<string, ChangedDocument>, documents: number): void {
    const { liveBacklogMax, liveBacklogCharactersMax } = this.#deps.limits;
    for (const [key, change] of changes) {
      joining.characters += charactersOf(change) - charactersOf(joining.missed.get(key));
      joining.missed.set(key, change);
    }
    if (changes.size > 0) joining.documents = documents;
    if (joining.missed.size > liveBacklogMax || joining.characters > liveBacklogCharactersMax) return this.load();
    this.#join(joining);
  }

  #join({ pos, missed, documents }: Joining): void {
    if (pos === undefined || this.#deps.replica.durablePos < pos) return;
    this.#joining = undefined;
    this.#apply(missed, documents);
  }

  #apply(changes: ReadonlyMap<string, ChangedDocument>, documents: number): void {
    const { view } = this.#deps;
    if (changes.size > 0) view.apply(changes, documents);
    if (view.isShort) this.load();
    else this.#show(view.state());
  }

  #showHeld(): void {
    if (this.#held === undefined || this.#deps.replica.durablePos < this.#held.pos) return;
    const { state } = this.#held;
    this.#held = undefined;
    this.#show(state);
  }

  #show(state: State): void {
    if (this.#shown !== undefined && this.#shown.state === state) return;
    this.#shown = { state };
    this.#deps.onState(state);
  }
}

function charactersOf(change: ChangedDocument | undefined): number {
  return change?.text?.length ?? 0;
}
