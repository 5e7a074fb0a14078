/** Measures how long single turns hold up the event loop of this process. */
import { queuedMs } from './running-time.ts';

export interface LoopDelay {
  /** The longest turn, not counting time in which it waited for a processor, ms. */
  readonly worstMs: number;
  /** The longest turn by the clock, ms. */
  readonly worstWallMs: number;
}

/** Measures the event loop while the work runs. */
export async function watchLoop(work: () => Promise<unknown>): Promise<LoopDelay> {
  let [worstMs, worstWallMs] = [0, 0];
  let last = performance.now();
  let lastQueued = queuedMs(process.pid);
  let isOver = false;
  const sample = (): void => {
    const [now, queued] = [performance.now(), queuedMs(process.pid)];
    const wallMs = now - last;
    worstWallMs = Math.max(worstWallMs, wallMs);
    worstMs = Math.max(worstMs, wallMs - (queued - lastQueued));
    [last, lastQueued] = [now, queued];
    if (!isOver) setTimeout(sample, 0);
  };
  sample();
  try {
    await work();
    // The turn in which it ended counts too.
    await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    isOver = true;
  }
  return { worstMs, worstWallMs };
}
