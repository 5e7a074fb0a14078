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
    const give = (reason: unknown): void => {
      reject(reason);
      own.abort(reason);
    };
    const aborted = (): void => give(signal?.reason);
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    const cancel = msMax > 0 ? clock.setTimer(msMax, () => give(late())) : () => {};
    const leave = (): void => {
      cancel();
      signal?.removeEventListener('abort', aborted);
    };
    own.signal.addEventListener('abort', leave, { once: true });
    // `run` may throw at once; that is a rejection like any other.
    new Promise<T>((settle) => settle(run(own.signal))).then(resolve, reject).finally(leave);
  });
}
