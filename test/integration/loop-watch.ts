/** Measures how long single turns hold up the event loop of this process. */
import { readFileSync } from 'node:fs';

const SCHEDULING = '/proc/self/schedstat';
const NS_PER_MS = 1e6;

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
  let lastQueued = queuedMs();
  let isOver = false;
  const sample = (): void => {
    const [now, queued] = [performance.now(), queuedMs()];
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

/** Time for which this thread was ready but waited for a processor, ms. 0 where the system does not say. */
function queuedMs(): number {
  try {
    return Number(readFileSync(SCHEDULING, 'utf8').split(' ')[1]) / NS_PER_MS;
  } catch {
    return 0;
  }
}
