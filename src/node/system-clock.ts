import type { Clock } from '../core/clock/index.ts';

/** Longest delay of a Node timer; a longer one would fire immediately. */
const TIMER_MS_MAX = 2_147_483_647;

/** The real clock. Its timers do not keep the process alive: a node's sockets and lifecycle do. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, run) => startTimer(systemClock.monotonic() + delayMs, run),
};

/** The system clock with timers that keep the process alive, for callers that may have nothing else to keep it so. */
export const awaitedClock: Clock = {
  ...systemClock,
  setTimer: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(delayMs, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};

/** Waits in several steps for a delay that is too long for one timer. */
function startTimer(dueMs: number, run: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const leftMs = dueMs - systemClock.monotonic();
    if (leftMs > TIMER_MS_MAX) timer = setTimeout(arm, TIMER_MS_MAX);
    else timer = setTimeout(run, Math.max(0, leftMs));
    timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}
