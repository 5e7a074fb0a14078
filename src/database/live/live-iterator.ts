import { DONE, PendingNexts } from '../pending-nexts.ts';

export interface LiveIteratorDeps<State, Update> {
  /** Called at the first `next`. */
  readonly start: () => void;
  /** Called at the end, if it was started. */
  readonly end: () => void;
  /** The newest state of the current run; undefined: there is none yet. */
  readonly current: () => { readonly state: State } | undefined;
  /** Undefined: there is no difference. */
  readonly toUpdate: (before: { readonly state: State } | undefined, after: State) => Update | undefined;
}

/** An iterator over states. A slow consumer has no queue: its next update leads from what it last got to the newest state. */
export class LiveIterator<State, Update> implements AsyncIterableIterator<Update, undefined> {
  readonly #deps: LiveIteratorDeps<State, Update>;
  readonly #nexts = new PendingNexts<Update>();
  #phase: 'new' | 'open' | 'done' = 'new';
  #delivered: { readonly state: State } | undefined;

  constructor(deps: LiveIteratorDeps<State, Update>) {
    this.#deps = deps;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Update, undefined>> {
    const next = this.#nexts.add();
    if (this.#phase === 'new') {
      this.#phase = 'open';
      this.#deps.start();
    }
    this.deliver();
    return next;
  }

  return(): Promise<IteratorResult<Update, undefined>> {
    this.finish();
    return Promise.resolve(DONE);
  }

  throw(error: unknown): Promise<IteratorResult<Update, undefined>> {
    this.finish();
    return Promise.reject(error);
  }

  /** Answers the pending `next` if the newest state is a different one. */
  deliver(): void {
    const current = this.#phase === 'open' ? this.#deps.current() : undefined;
    if (current !== undefined && !this.#nexts.isEmpty && this.#delivered?.state !== current.state) {
      const value = this.#deps.toUpdate(this.#delivered, current.state);
      this.#delivered = current;
      if (value !== undefined) this.#nexts.answer(value);
    }
    if (this.#phase === 'done') this.#nexts.end();
  }

  /** Rejects the oldest pending `next`, or else the following one, and ends. */
  fail(reason: unknown): void {
    if (this.#phase !== 'done') this.#nexts.fail(reason);
    this.finish();
  }

  finish(): void {
    const wasOpen = this.#phase === 'open';
    this.#phase = 'done';
    if (wasOpen) this.#deps.end();
    this.deliver();
  }
}
