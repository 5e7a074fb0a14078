/**
 * Goal: a seed counts as hung if it runs for ever or waits for ever, and never because the machine gave it no time.
 * Method: the looks are made here, with the processor time that such a thread would have taken.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HangWatch, LOOK_MS, SEED_CPU_SECONDS_MAX } from './hang-watch.ts';

/** The verdict after the looks of so many hours, in each of which the thread took so much processor time. */
function verdictAfter(hours: number, cpuMsPerLook: number): string | undefined {
  const watch = new HangWatch(12_345_678);
  let cpuMs = 12_345_678;
  for (let look = 0; look < (hours * 3_600_000) / LOOK_MS; look++) {
    cpuMs += cpuMsPerLook;
    const verdict = watch.look(cpuMs);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

test('a seed that runs for ever is hung', () => {
  assert.equal(verdictAfter(1, LOOK_MS), `did not end within ${SEED_CPU_SECONDS_MAX} s of processor time`);
});

test('a seed that waits for ever is hung', () => {
  assert.equal(verdictAfter(1, 0.1), 'waits for something that never comes');
});

test('a seed that a busy machine slowed down a hundred times is not hung', () => {
  assert.equal(verdictAfter(20, LOOK_MS / 100), undefined);
});
