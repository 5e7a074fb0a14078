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
  /** What the view includes. */
  #pos = 0;
  #held: { readonly state: State } | undefined;
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
    this.#pos = replica.pos;
    this.#isStale = false;
    this.#held = { state: view.state() };
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
    const { view, replica } = this.#deps;
    if (this.#isStale) return this.load();
    this.#showHeld();
    if (this.#held !== undefined) return;
    const unseen = this.#unseenOf(changes);
    if (unseen.size > 0) view.apply(unseen, documents);
    this.#pos = Math.max(this.#pos, replica.durablePos);
    if (view.isShort) this.load();
    else this.#show(view.state());
  }

  #unseenOf(changes: ReadonlyMap<string, ChangedDocument>): ReadonlyMap<string, ChangedDocument> {
    const isUnseen = ({ pos }: ChangedDocument): boolean => pos > this.#pos;
    for (const change of changes.values())
      if (!isUnseen(change)) return new Map([...changes].filter(([, other]) => isUnseen(other)));
    return changes;
  }

  #showHeld(): void {
    if (this.#held === undefined || this.#deps.replica.durablePos < this.#pos) return;
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
