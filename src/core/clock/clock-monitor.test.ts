// Goal: a wrong clock corrects itself and never others (R10). Method: offsets of peers as plain numbers, without a clock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockMonitor } from './clock-monitor.ts';

const DRIFT_MS = 60_000;
const YEARS_10_MS = 10 * 365 * 86_400_000;

function monitor(...offsets: number[]): ClockMonitor {
  const clocks = new ClockMonitor(DRIFT_MS);
  offsets.forEach((offset, i) => {
    clocks.observe(`peer${i}`, offset, 0);
  });
  return clocks;
}

test('a clock alone is never off', () => {
  assert.deepEqual(monitor().assess(), { offsetMs: 0, widestMs: 0, clocks: 1, isOff: false, correctionMs: 0 });
});

test('two clocks that disagree correct nothing: nobody knows which one is wrong', () => {
  const { isOff, correctionMs } = monitor(YEARS_10_MS).assess();
  assert.deepEqual({ isOff, correctionMs }, { isOff: false, correctionMs: 0 });
});

test('two peers that agree against ours correct it', () => {
  const { isOff, correctionMs } = monitor(-YEARS_10_MS, -YEARS_10_MS + 5).assess();
  assert.equal(isOff, true);
  assert.equal(correctionMs, -YEARS_10_MS + 5);
});

test('one peer years ahead among honest ones moves nobody', () => {
  assert.equal(monitor(YEARS_10_MS, 20, -30).assess().isOff, false);
});

test('half of the clocks do not make a majority', () => {
  assert.equal(monitor(YEARS_10_MS, YEARS_10_MS, 10).assess().isOff, false);
});

test('a peer that left no longer counts', () => {
  const clocks = monitor(YEARS_10_MS, YEARS_10_MS);
  clocks.forget('peer1');
  assert.equal(clocks.assess().isOff, false);
});

test('a clock is confirmed by most of the others, and never by itself', () => {
  assert.equal(monitor().isConfirmed(0), false);
  assert.equal(monitor(20).isConfirmed(0), true);
  assert.equal(monitor(YEARS_10_MS).isConfirmed(0), false);
  assert.equal(monitor(YEARS_10_MS, 20).isConfirmed(0), true);
  assert.equal(monitor(YEARS_10_MS, -YEARS_10_MS, 20, YEARS_10_MS).isConfirmed(0), false);
});

test('a clock that others correct is confirmed by them', () => {
  assert.equal(monitor(-YEARS_10_MS, -YEARS_10_MS).isConfirmed(0), true);
});

test('a clock that was set since it was compared is not confirmed', () => {
  assert.equal(monitor(20, 30).isConfirmed(-YEARS_10_MS), false);
});
