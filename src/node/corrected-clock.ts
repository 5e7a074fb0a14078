import type { Clock, ClockMonitor } from '../core/clock/index.ts';

/** R10: the clock that stamps writes: the system's, corrected by the error that the other nodes agree on. */
export function createCorrectedClock(clock: Clock, monitor: ClockMonitor): Clock {
  return {
    now: () => clock.now() + monitor.assess().correctionMs,
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, run) => clock.setTimer(delayMs, run),
  };
}
