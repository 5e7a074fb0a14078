/** The end of an iteration. */
export const DONE = { done: true, value: undefined } as const;

/** The calls of an iterator's `next` that wait for an answer, the oldest first. */
export class PendingNexts<T> {
  readonly #pending: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  #failure: { readonly reason: unknown } | undefined;

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  add(): Promise<IteratorResult<T, undefined>> {
    const next = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#pending.push(next);
    return next.promise;
  }

  /** Answers the oldest, which must exist. */
  answer(value: T): void {
    this.#pending.shift()!.resolve({ value });
  }

  /** The iteration ends with an error: at its end the oldest call, or else the following one, rejects with the reason. */
  fail(reason: unknown): void {
    this.#failure = { reason };
  }

  /** Answers all calls at the end of the iteration. To be called for each later call too. */
  end(): void {
    if (this.#failure !== undefined && !this.isEmpty) {
      this.#pending.shift()!.reject(this.#failure.reason);
      this.#failure = undefined;
    }
    for (const next of this.#pending.splice(0)) next.resolve(DONE);
  }
}
