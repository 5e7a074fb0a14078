import type { Live } from './live-api.ts';
import { LiveIterator } from './live-iterator.ts';

export interface LiveHandleDeps<State, Update> {
  /** Starts to run and returns a function that stops; may call `onState` before it returns. Throws if it cannot start. */
  readonly run: (callbacks: LiveCallbacks<State>) => () => void;
  /** Calls `notify` in a microtask, once for everything that happens before it. */
  readonly notifySoon: () => void;
  /** `before` undefined: the first update of an iterator. Returns undefined if there is no difference. */
  readonly toUpdate: (before: State | undefined, after: State) => Update | undefined;
  readonly isSame: (a: State, b: State) => boolean;
  readonly report: (error: unknown, message: string) => void;
  readonly signal: AbortSignal | undefined;
}

export interface LiveCallbacks<State> {
  readonly onState: (state: State) => void;
  readonly onFailure: (error: unknown) => void;
}

interface Subscriber {
  readonly listener: () => void;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** The live object that a program holds: runs while it has consumers, and gives each of them the newest state. */
export class LiveHandle<State, Update> implements Live<State, Update> {
  readonly #deps: LiveHandleDeps<State, Update>;
  readonly #subscribers = new Set<Subscriber>();
  readonly #iterators = new Set<LiveIterator<State, Update>>();
  #stop: (() => void) | undefined;
  #snapshot: State | undefined;
  /** The snapshot, if it is one of the current run. */
  #current: { readonly state: State } | undefined;
  /**
   * The next snapshot, taken over by `notify`: the snapshot only changes when listeners are called, so a change that is
   * reverted before that is never seen.
   */
  #next: { readonly state: State } | undefined;
  #isFirst = false;
  #failure: { readonly error: unknown; isTold: boolean } | undefined;
  #isClosed = false;

  constructor(deps: LiveHandleDeps<State, Update>) {
    this.#deps = deps;
  }

  getSnapshot(): State | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#snapshot;
  }

  subscribe(listener: () => void, onError?: (error: unknown) => void): () => void {
    if (typeof listener !== 'function') throw new TypeError('subscribe wants a function that it can call');
    if (this.#isClosed) return () => {};
    const subscriber = { listener, onError };
    this.#subscribers.add(subscriber);
    this.#start();
    return () => {
      if (this.#subscribers.delete(subscriber)) this.#stopIfUnused();
    };
  }

  [Symbol.asyncIterator](): LiveIterator<State, Update> {
    const iterator: LiveIterator<State, Update> = new LiveIterator({
      start: () => {
        if (this.#isClosed) return this.#dismiss(iterator);
        this.#iterators.add(iterator);
        this.#start();
      },
      end: () => {
        if (this.#iterators.delete(iterator)) this.#stopIfUnused();
      },
      current: () => this.#current,
      toUpdate: (before, after) => this.#deps.toUpdate(before?.state, after),
    });
    return iterator;
  }

  close(): void {
    this.#close();
  }

  /** Takes over the next snapshot, and passes it or the failure to iterators and listeners. */
  notify(): void {
    const isNews = this.#takeNext();
    for (const iterator of [...this.#iterators]) iterator.deliver();
    const failure = this.#failure?.isTold === false ? this.#failure : undefined;
    if (failure !== undefined) failure.isTold = true;
    if (!isNews && failure === undefined) return;
    for (const { listener, onError } of [...this.#subscribers]) {
      if (failure === undefined || onError === undefined) this.#call(listener);
      else this.#call(() => onError(failure.error));
    }
  }

  #takeNext(): boolean {
    const next = this.#next;
    const isFirst = this.#isFirst;
    this.#next = undefined;
    this.#isFirst = false;
    if (next === undefined || this.#current === undefined || this.#deps.isSame(this.#current.state, next.state))
      return isFirst;
    this.#current = next;
    this.#snapshot = next.state;
    return true;
  }

  #start(): void {
    if (this.#stop !== undefined) return;
    const { signal, run } = this.#deps;
    this.#failure = undefined;
    if (signal?.aborted) return this.#close();
    let isRunning = true;
    this.#stop = () => {
      isRunning = false;
    };
    const onFailure = (error: unknown): void => {
      if (isRunning) this.#fail(error);
    };
    try {
      const stop = run({ onState: (state) => this.#show(state), onFailure });
      signal?.addEventListener('abort', this.#close, { once: true });
      this.#stop = () => {
        isRunning = false;
        stop();
      };
    } catch (error) {
      onFailure(error);
    }
  }

  #show(state: State): void {
    if (this.#current !== undefined) this.#next = { state };
    else {
      this.#current = { state };
      this.#snapshot = state;
      this.#isFirst = true;
    }
    this.#deps.notifySoon();
  }

  #fail(error: unknown): void {
    this.#end();
    this.#failure = { error, isTold: false };
    this.#deps.report(error, 'a live query ended with an error');
    for (const iterator of [...this.#iterators]) iterator.fail(error);
    this.#deps.notifySoon();
  }

  readonly #close = (): void => {
    this.#isClosed = true;
    this.#subscribers.clear();
    this.#end();
    for (const iterator of [...this.#iterators]) this.#dismiss(iterator);
  };

  #dismiss(iterator: LiveIterator<State, Update>): void {
    const { signal } = this.#deps;
    if (signal?.aborted) iterator.fail(signal.reason);
    else iterator.finish();
  }

  #stopIfUnused(): void {
    if (this.#subscribers.size + this.#iterators.size > 0) return;
    this.#failure = undefined;
    this.#end();
  }

  #end(): void {
    const stop = this.#stop;
    this.#stop = undefined;
    this.#current = undefined;
    this.#next = undefined;
    this.#deps.signal?.removeEventListener('abort', this.#close);
    stop?.();
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#deps.report(error, 'a listener of a live query failed');
    }
  }
}
