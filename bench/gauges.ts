import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures } from './bench-case.ts';

/** Time between two looks at the event loop, ms: as precise as the delay can be told. */
const RESOLUTION_MS = 5;
const MIB = 2 ** 20;

/** What work costs this process besides time: the most memory that it had, and how long its event loop was held up. */
export class Gauges {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    forgetPeak();
    this.#delay.reset();
    this.#delay.enable();
  }

  /** The figures since `start`; after a pause, for work that held up the event loop to its end has not been noticed before. */
  async stop(): Promise<Figures> {
    await sleep(2 * RESOLUTION_MS);
    this.#delay.disable();
    const delayMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      'peak MiB': peakBytes() / MIB,
      'loop p99 ms': delayMs(this.#delay.percentile(99)),
      'loop max ms': delayMs(this.#delay.max),
    };
  }
}

/** Linux keeps the peak since it was last told to forget it; elsewhere it is that of the whole life of the process. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed: the peak is then that of the process.
  }
}

function peakBytes(): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
