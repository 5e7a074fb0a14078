import type { Clock } from './clock.ts';

/**
 * Settles as `run` does, but no later than after `msMax` (0: no limit), with the error of `late`, or at once with the reason of
 * `signal`. In both cases the signal handed to `run` aborts, and what `run` still does is ignored.
 */
export function withDeadline<T>(
  clock: Clock,
  msMax: number,
  run: (signal: AbortSignal) => T | PromiseLike<T>,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  const own = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const leave = (): void => {
      cancel();
      signal?.removeEventListener('abort', aborted);
    };
    const give = (reason: unknown): void => {
      leave();
      reject(reason);
      own.abort(reason);
    };
    const aborted = (): void => give(signal?.reason);
    const cancel = msMax > 0 && !signal?.aborted ? clock.setTimer(msMax, () => give(late())) : () => {};
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    // `run` may throw at once; that is a rejection like any other.
    new Promise<T>((settle) => settle(run(own.signal))).then(
      (value) => {
        leave();
        resolve(value);
      },
      (error: unknown) => {
        leave();
        reject(error);
      },
    );
  });
}
