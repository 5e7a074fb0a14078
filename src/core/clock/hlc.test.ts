// Goal: R10, what stamp a write gets when the clock of its node was wrong. Method: stamps and clocks as plain numbers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hlc, nextHlc } from './index.ts';

const NOW_MS = 1_796_000_000_000;
const YEARS_10_MS = 10 * 365 * 86_400_000;
const DAY_MS = 86_400_000;
const confirmed = (): boolean => true;

function stampAt(ms: number): Hlc {
  return (ms * 1000) as Hlc;
}

test('stamps go back to a clock that others confirm, if they are more than a day ahead of it', () => {
  assert.equal(nextHlc(stampAt(NOW_MS + YEARS_10_MS), NOW_MS, confirmed), stampAt(NOW_MS));
  assert.equal(nextHlc(stampAt(NOW_MS + DAY_MS), NOW_MS, confirmed), stampAt(NOW_MS + DAY_MS) + 1);
});

test('stamps never go back to a clock that nobody confirms', () => {
  assert.equal(nextHlc(stampAt(NOW_MS + YEARS_10_MS), NOW_MS), stampAt(NOW_MS + YEARS_10_MS) + 1);
});

test('stamps do not follow clocks that agree on a time before the first release', () => {
  assert.equal(nextHlc(stampAt(NOW_MS), 1000, confirmed), stampAt(NOW_MS) + 1);
});
