// Goal: a clock that was set is noticed within a second or two, once, and one that only runs a little fast is not. Method: a manual clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../testing/index.ts';
import { WallClockWatch } from './wall-clock-watch.ts';

test('a step is reported once, and small steps when they have added up', () => {
  const clock = createManualClock();
  let setMs = 0;
  const wall = { ...clock, now: () => clock.now() + setMs };
  const steps: number[] = [];
  const watch = new WallClockWatch(wall, 30_000, (stepMs) => steps.push(stepMs));
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i++) clock.advance(1000);
  };
  watch.start();
  pass(10);
  setMs = -3_600_000;
  pass(10);
  assert.deepEqual(steps, [-3_600_000]);
  for (let i = 0; i < 4; i++) {
    setMs += 10_000;
    pass(2);
  }
  assert.deepEqual(steps, [-3_600_000, 30_000]);
  watch.stop();
  setMs = 0;
  pass(10);
  assert.equal(steps.length, 2);
});
