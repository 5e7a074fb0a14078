/**
 * The clock port: the engine's only source of time. `node/system-clock.ts` is the real clock; tests and the simulator
 * advance `testing/manual-clock.ts` by hand.
 */
export interface Clock {
  /** Wall clock, whole milliseconds since 1970 UTC. May jump in either direction at any time. */
  now(): number;
  /** Milliseconds since an arbitrary point, never decreasing. For durations and deadlines. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it and may be called any number of times. */
  setTimer(delayMs: number, run: () => void): () => void;
}

/** The wall clock minus the monotonic one, ms: it changes when the wall clock is set, or the machine slept. */
export function epochMs(clock: Clock): number {
  return clock.now() - clock.monotonic();
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
