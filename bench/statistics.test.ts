// Goal: the figures in the tables are right. Method: small samples with known medians and intervals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { intervalOf, measuredOf, pairedRatios, quantile } from './statistics.ts';

test('the median of an odd number of runs is the middle one, of an even number the mean of two', () => {
  assert.equal(measuredOf([9, 1, 5]).median, 5);
  assert.equal(measuredOf([9, 1, 5, 7]).median, 6);
});

test('spread is the distance between the extremes over the median, and zero for equal runs, even zeros', () => {
  assert.equal(measuredOf([8, 10, 12]).spread, 0.4);
  assert.equal(measuredOf([0, 0, 0]).spread, 0);
});

test('runs keep the order in which they were made', () => {
  assert.deepEqual(measuredOf([3, 1, 2]).runs, [3, 1, 2]);
});

test('an interval goes from the smallest to the largest run', () => {
  assert.deepEqual(intervalOf([3, 1, 2]), { low: 1, median: 2, high: 3 });
});

test('ratios are between runs of the same round', () => {
  assert.deepEqual(pairedRatios([10, 20, 30], [5, 10]), [2, 2]);
});

test('a quantile is the value below which its share of the values lies, and at most the largest value', () => {
  const sorted = Array.from({ length: 100 }, (_, i) => i);
  assert.equal(quantile(sorted, 0.5), 50);
  assert.equal(quantile(sorted, 0.99), 99);
  assert.equal(quantile(sorted, 1), 99);
});
