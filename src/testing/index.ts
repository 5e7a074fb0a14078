export { createManualClock, type ManualClock, type ManualClockOptions } from './manual-clock.ts';
export { createSeededRandom, type SeededRandom } from './seeded-random.ts';
