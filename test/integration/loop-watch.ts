/** How long the event loop of this process was held up by one turn. */
import { readFileSync } from 'node:fs';

const SCHEDULING = '/proc/self/schedstat';
const NS_PER_MS = 1e6;

export interface LoopDelay {
  /** The longest turn, without the time in which the machine had no processor for it, ms. */
  readonly worstMs: number;
  /** The longest turn by the clock, ms. */
  readonly worstWallMs: number;
}

/** Watches while the work runs. */
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

/** Time for which the thread that runs this was ready and other programs ran instead, ms; 0 where the system does not tell. */
function queuedMs(): number {
  try {
    return Number(readFileSync(SCHEDULING, 'utf8').split(' ')[1]) / NS_PER_MS;
  } catch {
    return 0;
  }
}
