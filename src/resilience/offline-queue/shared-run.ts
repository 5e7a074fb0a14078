interface Run<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/** One run at a time, shared by all callers that ask meanwhile, and aborted once nobody waits for it any more. */
export class SharedRun<T> {
  #running: Run<T> | undefined;

  /** Starts a run, or joins the one under way. The signal ends this caller's waiting; the promise then rejects with its reason. */
  join(start: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#running?.stop.signal.aborted) {
      const again = (): Promise<T> => this.join(start, signal);
      return this.#running.result.then(again, again);
    }
    this.#running ??= this.#start(start);
    const run = this.#running;
    run.waiting++;
    if (signal === undefined) return run.result;
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason);
        run.waiting--;
        if (run.waiting === 0) run.stop.abort(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      run.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  /** Aborts the run under way, and resolves when it has ended. */
  async stop(reason: Error): Promise<void> {
    const run = this.#running;
    run?.stop.abort(reason);
    await run?.result.catch(() => {
      // The callers that wait for the run get its failure; here only its end matters.
    });
  }

  #start(start: (signal: AbortSignal) => Promise<T>): Run<T> {
    const stop = new AbortController();
    const result = start(stop.signal).finally(() => {
      this.#running = undefined;
    });
    return { result, stop, waiting: 0 };
  }
}
