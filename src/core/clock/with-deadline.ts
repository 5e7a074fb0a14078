import type { Clock } from './clock.ts';

/**
 * Settles as `run` does. After `msMax` ms (0: no limit) it rejects with the error made by `late`; when `signal` aborts it
 * rejects immediately with its reason. In both cases the signal handed to `run` aborts, and its later outcome is ignored.
 */
export function withDeadline<T>(
  clock: Pick<Clock, 'setTimer'>,
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
    const giveUp = (reason: unknown): void => {
      leave();
      reject(reason);
      own.abort(reason);
    };
    const aborted = (): void => giveUp(signal?.reason);
    const cancel = msMax > 0 && !signal?.aborted ? clock.setTimer(msMax, () => giveUp(late())) : () => {};
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    // `run` may throw synchronously; that becomes a rejection like any other.
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
