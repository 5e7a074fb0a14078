/**
 * Goal: time moves only on request, and timers run in order, each at its own moment.
 * Method: directed cases; random timers compared with a sorted list.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from './manual-clock.ts';
import { createSeededRandom } from './seeded-random.ts';

test('timers run in order of time, then of creation, each seeing its own moment', () => {
  const clock = createManualClock();
  const random = createSeededRandom(7);
  const expected: [number, number][] = [];
  const ran: [number, number][] = [];
  for (let i = 0; i < 500; i++) {
    const delay = random.integer(0, 50);
    const cancel = clock.setTimer(delay, () => ran.push([clock.monotonic(), i]));
    if (random.chance(0.3)) cancel();
    else expected.push([delay, i]);
  }
  expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  clock.advance(25);
  assert.deepEqual(
    ran,
    expected.filter(([at]) => at <= 25),
  );
  clock.advance(25);
  assert.deepEqual(ran, expected);
  assert.equal(clock.nextTimerAt(), undefined);
});

test('a timer set by a timer runs in the same step if it falls due in it', () => {
  const clock = createManualClock();
  const ran: number[] = [];
  clock.setTimer(1, () => clock.setTimer(1, () => ran.push(clock.monotonic())));
  assert.equal(clock.nextTimerAt(), 1);
  clock.advance(2);
  assert.deepEqual(ran, [2]);
});

test('a timer may cancel another one that is due at the same moment', () => {
  const clock = createManualClock();
  let cancelSecond = (): void => {};
  clock.setTimer(1, () => cancelSecond());
  cancelSecond = clock.setTimer(1, () => assert.fail('it was cancelled'));
  clock.advance(1);
  cancelSecond();
});

test('setting the wall clock affects nothing else', () => {
  const clock = createManualClock({ startMs: 1000 });
  clock.advance(5);
  assert.equal(clock.now(), 1005);
  clock.setWall(10);
  assert.deepEqual([clock.now(), clock.monotonic()], [10, 5]);
  clock.advance(1);
  assert.equal(clock.now(), 11);
});

test('the wall clock shows whole milliseconds, however it is moved', () => {
  const clock = createManualClock({ startMs: 1000.5 });
  clock.advance(0.75);
  assert.equal(clock.now(), 1001);
  assert.equal(clock.monotonic(), 0.75);
  clock.setWall(5.9);
  assert.equal(clock.now(), 5);
});
