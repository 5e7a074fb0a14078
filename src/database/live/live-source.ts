import type { Replica } from '../replica/index.ts';
import type { ChangedDocument } from './changed-document.ts';
import type { LiveView } from './live-view.ts';

export interface LiveSourceDeps<State> {
  readonly replica: Pick<Replica, 'pos' | 'durablePos' | 'flush'>;
  readonly view: LiveView<State>;
  /** A state that is durable, and not the one before. */
  readonly onState: (state: State) => void;
}

/**
 * Carries one view along the changes. A view that was read from the store may be ahead of what is durable: it is held back
 * until that has caught up, and not carried on before it was shown, so that steady writing cannot starve it.
 */
export class LiveSource<State> {
  readonly #deps: LiveSourceDeps<State>;
  #held: { readonly state: State; readonly pos: number } | undefined;
  #shown: { readonly state: State } | undefined;
  #isStale = false;

  constructor(deps: LiveSourceDeps<State>) {
    this.#deps = deps;
  }

  /** Something is to be done at the next `advance`, changes or not. */
  get isWaiting(): boolean {
    return this.#isStale || this.#held !== undefined;
  }

  /** Reads the view from the store. Throws what the store throws. */
  load(): void {
    const { view, replica } = this.#deps;
    view.load();
    this.#isStale = false;
    this.#held = { state: view.state(), pos: replica.pos };
    this.#showHeld();
    // Nobody else may be waiting for the disk. A flush that fails is told by a reload.
    if (this.#held !== undefined) replica.flush().catch(() => {});
  }

  /** Changes were lost, or there were too many to keep. */
  invalidate(): void {
    this.#isStale = true;
    this.#held = undefined;
  }

  /** More is durable, and this is what it changed. Throws what the store throws. */
  advance(changes: ReadonlyMap<string, ChangedDocument>, documents: number): void {
    const { view } = this.#deps;
    if (this.#isStale) return this.load();
    this.#showHeld();
    if (this.#held !== undefined) return;
    // Those that the view was read with already are the newest of their documents, and change nothing.
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
