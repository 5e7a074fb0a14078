export { createManualClock, type ManualClock, type ManualClockOptions } from './manual-clock.ts';
export { createDatagramNetwork, type DatagramNetwork, type MemoryDatagramPort } from './memory-datagrams.ts';
export { createSeededRandom, type SeededRandom } from './seeded-random.ts';
