// Goal: steps that follow each other end a turn of the event loop in time. Method: a clock and turns by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../testing/index.ts';
import { LoopShare } from './index.ts';

test('steps go on within a turn until they have taken their share, then wait for the next one', async () => {
  const clock = createManualClock();
  const due: (() => void)[] = [];
  const share = new LoopShare({ clock, soon: (run) => due.push(run) });
  assert.equal(share.pause(), undefined);
  clock.advance(23);
  assert.equal(share.pause(), undefined);
  clock.advance(1);
  const waiting = share.pause();
  assert.ok(waiting instanceof Promise);
  for (const run of due.splice(0)) run();
  await waiting;
  assert.equal(share.pause(), undefined, 'a new turn');
});
