// Goal: a sequence of steps gives up its turn of the event loop in time. Method: clock and turns are advanced by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock } from '../../testing/index.ts';
import { LoopShare } from './index.ts';

test('steps run within a turn until they have used their share, then wait for the next turn', async () => {
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
