// Goal: a check reports what got worse and nothing else. Method: hand-made results, compared with themselves and with others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, comparisonText, intervalsOf } from './baseline.ts';
import type { CaseResult } from './run-case.ts';
import { measuredOf } from './statistics.ts';

function result(figure: string, ours: readonly number[], row?: readonly number[]): CaseResult {
  const measured = { ours: measuredOf(ours), ...(row ? { row: measuredOf(row) } : {}) };
  return { name: 'case', about: '', figures: { [figure]: measured } };
}

test('a baseline keeps only ratios of times and speeds, but the figure itself of counts', () => {
  assert.deepEqual(Object.keys(intervalsOf([result('p50 ms', [1], [2])])), ['case: p50 ms ÷ row']);
  assert.deepEqual(Object.keys(intervalsOf([result('writes/s', [1])])), []);
  assert.deepEqual(Object.keys(intervalsOf([result('bytes', [1], [2])])), ['case: bytes']);
});

test('a slower or faster machine changes nothing', () => {
  const was = intervalsOf([result('ms', [10, 11, 12], [5, 5, 5])]);
  const is = intervalsOf([result('ms', [100, 110, 120], [50, 50, 50])]);
  assert.deepEqual(compare(was, is), []);
});

test('a speed that fell below its interval is worse, and one that rose above it is better', () => {
  const was = intervalsOf([result('writes/s', [90, 100, 110], [100, 100, 100])]);
  const slower = compare(was, intervalsOf([result('writes/s', [70, 80, 85], [100, 100, 100])]));
  assert.deepEqual(
    slower.map(({ about, verdict }) => [about, verdict]),
    [['case: writes/s ÷ row', 'worse']],
  );
  assert.equal(comparisonText(slower[0]!), 'worse: case: writes/s ÷ row is 0.8 (0.7 to 0.85), was 1 (0.9 to 1.1)');
  const faster = compare(was, intervalsOf([result('writes/s', [120, 130, 140], [100, 100, 100])]));
  assert.deepEqual(
    faster.map(({ verdict }) => verdict),
    ['better'],
  );
});

test('a time or a count that rose is worse', () => {
  for (const [figure, base] of [
    ['ms', [1, 1, 1]],
    ['bytes', undefined],
    ['KB/s', undefined],
  ] as const) {
    const found = compare(
      intervalsOf([result(figure, [5, 5, 5], base)]),
      intervalsOf([result(figure, [6, 6, 6], base)]),
    );
    assert.deepEqual(
      found.map(({ verdict }) => verdict),
      ['worse'],
      figure,
    );
  }
});

test('intervals that touch and medians that differ by less than three per cent are not reported', () => {
  const was = intervalsOf([result('bytes', [90, 100, 110])]);
  assert.deepEqual(compare(was, intervalsOf([result('bytes', [109, 120, 130])])), []);
  assert.deepEqual(compare(intervalsOf([result('bytes', [100])]), intervalsOf([result('bytes', [102])])), []);
});

test('a figure that the baseline lacks is not judged', () => {
  assert.deepEqual(compare({}, intervalsOf([result('bytes', [1])])), []);
});
