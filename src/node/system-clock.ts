import type { Clock } from '../core/clock/index.ts';

/** Longest delay that a Node timer takes; a longer one would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

/** The real clock. Timers do not keep the process alive: what keeps a node running is its sockets and its lifecycle. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, run) => startTimer(systemClock.monotonic() + delayMs, run),
};

/** The system clock, with timers that keep the process alive: whoever awaits one may have nothing else that does. */
export const awaitedClock: Clock = {
  ...systemClock,
  setTimer: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(delayMs, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};

/** A delay beyond what a timer takes is waited for in several steps. */
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
