/**
 * The clock port: the only way in which the engine learns of time. `node/system-clock.ts` is the real one,
 * `testing/manual-clock.ts` the one that tests and the simulator turn by hand.
 */
export interface Clock {
  /** Wall clock, whole milliseconds since 1970 UTC. May jump in either direction at any time. */
  now(): number;
  /** Milliseconds since an arbitrary point, never decreasing: for durations and deadlines. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it and may be called any number of times. */
  setTimer(delayMs: number, run: () => void): () => void;
}

/** Resolves after `delayMs`; rejects with `signal.reason` and frees the timer when the signal aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    });
    const aborted = (): void => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
