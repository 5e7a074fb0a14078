/**
 * Goal: a check is called late if its subject is slow, not because the event loop was held up. Method: a clock on real timers, a loop
 * that is blocked for longer than a check may take, and an answer that has arrived by then.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../core/clock/index.ts';
import { CheckRunner } from './check-runner.ts';
import { healthy } from './index.ts';

const MS_MAX = 50;
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

function block(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('a blocked event loop does not make a check late whose answer is there', async () => {
  const run = (): Promise<ReturnType<typeof healthy>> =>
    new Promise((resolve) => setImmediate(resolve, healthy('fine')));
  const running = new CheckRunner({ name: 'disk', run }, clock, MS_MAX).run();
  block(2 * MS_MAX);
  assert.equal((await running).message, 'fine');
});

test('a check that does not answer is late', async () => {
  const never = { name: 'disk', run: () => new Promise<never>(() => {}) };
  const { state, message } = await new CheckRunner(never, clock, MS_MAX).run();
  assert.deepEqual([state, message], ['unhealthy', `has not answered within ${MS_MAX} ms`]);
});
