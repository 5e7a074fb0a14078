import { type Clock, sleep } from '../../core/clock/index.ts';

/** The share of the time that background work takes. */
const WORK_PART = 0.1;
const REST_MS_MIN = 1;

/** A function to call between two steps: it waits long enough that the steps take a tenth of the time. Rejects with the signal's reason. */
export function paced(clock: Clock, signal: AbortSignal): () => Promise<void> {
  let beganAt = clock.monotonic();
  return async () => {
    const workMs = clock.monotonic() - beganAt;
    await sleep(clock, Math.ceil(Math.max(REST_MS_MIN, workMs * (1 / WORK_PART - 1))), signal);
    beganAt = clock.monotonic();
  };
}
