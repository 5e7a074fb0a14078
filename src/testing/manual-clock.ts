import type { Clock } from '../core/clock/index.ts';

/** A clock that stands still until it is advanced: for tests and for the simulator. */
export interface ManualClock extends Clock {
  /** Advances time by `ms` and runs the timers that fall due, in order of time and then of creation. */
  advance(ms: number): void;
  /** Sets only the wall clock, in either direction, as a user or NTP does; timers and `monotonic` are not affected. */
  setWall(ms: number): void;
  /** `monotonic` time of the next timer, or undefined if none is set. */
  nextTimerAt(): number | undefined;
}

export interface ManualClockOptions {
  /** Initial wall clock, ms since 1970. Default: 2026-01-01T00:00:00Z. */
  readonly startMs?: number;
}

const START_MS = 1_767_225_600_000;

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Creates a clock that stands still until it is advanced. */
export function createManualClock(options: ManualClockOptions = {}): ManualClock {
  let wallOffset = options.startMs ?? START_MS;
  let elapsed = 0;
  let made = 0;
  const heap: Timer[] = [];

  const dropCancelled = (): void => {
    while (heap[0]?.cancelled) pop(heap);
  };

  return {
    now: () => Math.floor(wallOffset + elapsed),
    monotonic: () => elapsed,
    setTimer(delayMs, run) {
      const timer: Timer = { at: elapsed + Math.max(0, delayMs), order: made++, run, cancelled: false };
      push(heap, timer);
      return () => {
        timer.cancelled = true;
        dropCancelled();
      };
    },
    advance(ms) {
      const end = elapsed + ms;
      for (dropCancelled(); heap[0] !== undefined && heap[0].at <= end; dropCancelled()) {
        const timer = pop(heap)!;
        elapsed = Math.max(elapsed, timer.at);
        timer.run();
      }
      elapsed = Math.max(elapsed, end);
    },
    setWall(ms) {
      wallOffset = ms - elapsed;
    },
    nextTimerAt() {
      dropCancelled();
      return heap[0]?.at;
    },
  };
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}

/** Binary heap, smallest first. */
function push(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(timer, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): Timer | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}
