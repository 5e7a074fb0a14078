import type { Limits } from '../../core/config/index.ts';
import type { Replica } from '../replica/index.ts';
import type { ChangedDocument } from './changed-document.ts';
import type { LiveView } from './live-view.ts';

/** Of changes that are kept for later. With more, all are forgotten and what they were kept for is read again. */
export type BacklogLimits = Pick<Limits, 'liveBacklogMax' | 'liveBacklogCharactersMax'>;

export interface LiveSourceDeps<State> {
  readonly replica: Pick<Replica, 'pos' | 'durablePos' | 'flush'>;
  readonly view: LiveView<State>;
  /** A state that is durable, and not the one before. */
  readonly onState: (state: State) => void;
  /** It could not begin. */
  readonly onFailure: (error: unknown) => void;
  /** Of the changes that are kept while a view is read: with more, it is read within one turn. */
  readonly limits: BacklogLimits;
}

/** A view that is read beside the event loop, and what happened since. */
interface Joining {
  readonly stop: AbortController;
  /** Newest states of documents that became durable since the reading began. */
  readonly missed: Map<string, ChangedDocument>;
  /** Of their texts. */
  characters: number;
  documents: number;
  /** Set when it is read: everything that it may hold is durable from there on. */
  pos: number | undefined;
}

/**
 * Carries one view along the changes. A view that was read from the store may be ahead of what is durable: it is held back
 * until that has caught up, and not carried on before it was shown, so that steady writing cannot starve it.
 *
 * One that is read beside the event loop is as of some moment since then, and nobody knows which. What becomes durable meanwhile
 * is kept, until everything is durable that was committed when the view came: made to it then, the newest state of each
 * document that changed, it is what it would be had it been read at that moment.
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

  /** Something is to be done at the next `advance`, changes or not. */
  get isWaiting(): boolean {
    return this.#isStale || this.#held !== undefined || this.#joining !== undefined;
  }

  /** Reads the view for the first time. Throws what the store throws, or tells it later. */
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

  /** What is read is not wanted any more. */
  stop(): void {
    this.#joining?.stop.abort();
    this.#joining = undefined;
  }

  /** Changes were lost, or there were too many to keep. */
  invalidate(): void {
    this.stop();
    this.#isStale = true;
    this.#held = undefined;
  }

  /** More is durable, and this is what it changed. Throws what the store throws. */
  advance(changes: ReadonlyMap<string, ChangedDocument>, documents: number): void {
    if (this.#isStale) return this.load();
    if (this.#joining !== undefined) return this.#miss(this.#joining, changes, documents);
    this.#showHeld();
    if (this.#held !== undefined) return;
    // Those that the view was read with already are the newest of their documents, and change nothing.
    this.#apply(changes, documents);
  }

  #loaded(take: () => void): void {
    const { view, replica } = this.#deps;
    take();
    this.#isStale = false;
    this.#held = { state: view.state(), pos: replica.pos };
    this.#showHeld();
    // Nobody else may be waiting for the disk. A flush that fails is told by a reload.
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
