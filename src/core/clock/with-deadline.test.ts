/**
 * Goal: nobody waits longer than the deadline, and nothing is left behind: no timer, no listener, no unhandled rejection.
 * Method: a manual clock, and work that answers, throws or hangs.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../testing/index.ts';
import { withDeadline } from './index.ts';

const late = (): Error => new Error('late');

test('work that answers in time gives its answer and leaves no timer', async () => {
  const clock = createManualClock();
  assert.equal(await withDeadline(clock, 100, async () => 'done', late), 'done');
  assert.equal(clock.nextTimerAt(), undefined);
});

test('work that throws, immediately or later, rejects', async () => {
  const clock = createManualClock();
  const throwing = (): never => {
    throw new Error('broken');
  };
  await assert.rejects(withDeadline(clock, 100, throwing, late), /broken/);
  await assert.rejects(
    withDeadline(clock, 100, async () => throwing(), late),
    /broken/,
  );
  assert.equal(clock.nextTimerAt(), undefined);
});

test('the signal of work that takes too long is aborted, and its later failure is ignored', async () => {
  const clock = createManualClock();
  let seen: unknown;
  const hanging = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        seen = signal.reason;
        reject(new Error('too late to matter'));
      });
    });
  const waiting = withDeadline(clock, 100, hanging, late);
  clock.advance(100);
  await assert.rejects(waiting, /^Error: late$/);
  assert.match(String(seen), /late/);
});

test('without a limit there is no timer, and an aborted signal ends the wait with its reason', async () => {
  const clock = createManualClock();
  const stop = new AbortController();
  const waiting = withDeadline(clock, 0, () => new Promise(() => {}), late, stop.signal);
  assert.equal(clock.nextTimerAt(), undefined);
  stop.abort(new Error('bye'));
  await assert.rejects(waiting, /bye/);
  await assert.rejects(
    withDeadline(clock, 0, () => assert.fail('must not start'), late, stop.signal),
    /bye/,
  );
});
