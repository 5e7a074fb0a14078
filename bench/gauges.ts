import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures } from './bench-case.ts';

/** Interval at which the event loop is sampled, ms: the precision of the delay. */
const RESOLUTION_MS = 5;
const MIB = 2 ** 20;

/** What work costs this process besides time: its peak memory, and how long its event loop was held up. */
export class Gauges {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    forgetPeak();
    this.#delay.reset();
    this.#delay.enable();
  }

  /** The figures since `start`. First pauses, so that a delay by the last piece of work is noticed too. */
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

/** Resets the peak memory, which only Linux can do. Elsewhere the peak is that of the whole life of the process. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed.
  }
}

function peakBytes(): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
