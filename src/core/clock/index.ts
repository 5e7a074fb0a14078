export { abortable, abortableItems } from './abortable.ts';
export { type Clock, epochMs, sleep } from './clock.ts';
export { type ClockAssessment, ClockMonitor } from './clock-monitor.ts';
export { HLC_ZERO, type Hlc, hlcToMs, isHlc, nextHlc, observeHlc } from './hlc.ts';
export { LoopShare } from './loop-share.ts';
export { SliceSize } from './slice-size.ts';
export { spanText } from './span-text.ts';
export { TURN_MS } from './turn.ts';
export { withDeadline } from './with-deadline.ts';
