// Goal: a span is given in the unit that a person would choose. Method: a table.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spanText } from './span-text.ts';

test('a span is given in the largest unit of which it has at least two', () => {
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
  for (const [ms, text] of [
    [0, '0 seconds'],
    [1200, '1 second'],
    [61 * second, '61 seconds'],
    [-61 * minute, '61 minutes'],
    [3 * hour, '3 hours'],
    [-3 * day, '3 days'],
    [400 * day, '400 days'],
    [3650 * day, '10 years'],
  ] as const)
    assert.equal(spanText(ms), text);
});
