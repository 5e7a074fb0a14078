/**
 * Goal: the system clock keeps the contract of the Clock port. Method: real timers of 0 ms, and cancelled ones; no test depends
 * on how long anything takes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

test('a timer runs once, after those that are due earlier', async () => {
  const ran: string[] = [];
  const done = new Promise<void>((resolve) => {
    systemClock.setTimer(100, () => {
      ran.push('later');
      resolve();
    });
  });
  systemClock.setTimer(0, () => ran.push('first'));
  // The timers do not keep the process alive, so the test does.
  const hold = setInterval(() => {}, 1000);
  await done;
  clearInterval(hold);
  assert.deepEqual(ran, ['first', 'later']);
});

test('a cancelled timer never runs, and cancelling twice is harmless', async () => {
  let ran = false;
  const cancel = systemClock.setTimer(1, () => {
    ran = true;
  });
  cancel();
  cancel();
  // Timers with the same delay run in the order in which they were set: once this one has run, the cancelled one would have too.
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(ran, false);
});

test('a delay of a year does not fire immediately', async () => {
  let ran = false;
  const cancel = systemClock.setTimer(365 * 24 * 3600 * 1000, () => {
    ran = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  cancel();
  assert.equal(ran, false);
});

test('the monotonic clock never goes back', () => {
  let last = systemClock.monotonic();
  for (let i = 0; i < 1000; i++) {
    const now = systemClock.monotonic();
    assert.ok(now >= last);
    last = now;
  }
});

test('random numbers lie in [0, 1) and byte arrays have the requested length', () => {
  for (let i = 0; i < 1000; i++) {
    const value = systemRandom.next();
    assert.ok(value >= 0 && value < 1);
  }
  assert.equal(systemRandom.bytes(16).length, 16);
  assert.notDeepEqual(systemRandom.bytes(16), systemRandom.bytes(16));
});
