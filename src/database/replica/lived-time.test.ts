/** Goal: time in use follows the monotonic clock, continues across restarts, and a jump of the wall clock adds a bounded time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIMES } from '../../core/config/index.ts';
import { createManualClock } from '../../testing/index.ts';
import { LivedTime } from './lived-time.ts';

const HOUR = 3_600_000;

test('it is due for saving every livedSaveMs, and a restart adds the time during which the database was closed', () => {
  const clock = createManualClock();
  const lived = new LivedTime(clock, undefined);
  clock.advance(5);
  const first = lived.saving();
  assert.equal(lived.ms, 5);
  assert.equal(lived.saving(), undefined);
  clock.advance(TIMES.livedSaveMs);
  assert.notEqual(lived.saving(), undefined);
  assert.equal(new LivedTime(clock, first).ms, 5 + TIMES.livedSaveMs);
  lived.unsaved();
  assert.notEqual(lived.saving(), undefined);
});

test('setting the wall clock has no effect while open, and a bounded effect while closed', () => {
  const clock = createManualClock();
  const lived = new LivedTime(clock, undefined);
  const saved = lived.saving();
  clock.setWall(clock.now() + 1000 * TIMES.livedGapMsMax);
  clock.advance(HOUR);
  assert.equal(lived.ms, HOUR);
  assert.equal(new LivedTime(clock, saved).ms, TIMES.livedGapMsMax);
  clock.setWall(0);
  assert.equal(new LivedTime(clock, saved).ms, 0);
});
