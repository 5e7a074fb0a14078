// Goal: a plot shows its numbers in the right places. Method: the functions that place things, and the SVG of a plot with
// known corners.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logTicks, shortNumber, spread, svgPlot } from './svg-plot.ts';

test('ticks are round and enclose the values', () => {
  assert.deepEqual(logTicks([12, 180]), [10, 20, 50, 100, 200]);
  assert.deepEqual(logTicks([0.3, 0.4]), [0.2, 0.5]);
});

test('over more than two powers of ten, only the powers are ticks', () => {
  assert.deepEqual(logTicks([3, 40_000]), [1, 10, 100, 1000, 10_000, 100_000]);
});

test('equal values and round values have a scale too', () => {
  assert.deepEqual(logTicks([7, 7]), [5, 10]);
  assert.deepEqual(logTicks([10, 10]), [10, 20]);
  assert.deepEqual(logTicks([10, 100]), [10, 20, 50, 100]);
});

test('numbers have at most three digits and a unit', () => {
  assert.deepEqual([0.1234, 2, 1500, 1_000_000].map(shortNumber), ['0.123', '2', '1.5 k', '1 M']);
});

test('labels that would overlap are moved apart and keep their order', () => {
  assert.deepEqual(spread([100, 50, 101]), [100, 50, 117]);
});

test('the first and last points lie at the ends of the axes, and distances are logarithmic', () => {
  const svg = svgPlot({
    title: 'a < b',
    xLabel: 'documents',
    yLabel: 'ms',
    lines: [
      {
        name: 'ours',
        points: [
          [10, 1],
          [100, 10],
          [1000, 100],
        ],
      },
    ],
  });
  const points = /<polyline points="(?<points>[^"]+)"/.exec(svg)!.groups!.points!;
  assert.deepEqual(
    points.split(' ').map((point) => point.split(',').map(Number)),
    [
      [72, 324],
      [301, 186],
      [530, 48],
    ],
  );
  assert.match(svg, /a &lt; b/);
  assert.match(svg, />ours: 100<\/text>/);
});

test('a dashed line has the colour of the line before it', () => {
  const line = (name: string, isDashed = false) => ({
    name,
    isDashed,
    points: [
      [1, 1],
      [2, 2],
    ] as const,
  });
  const svg = svgPlot({ title: '', xLabel: '', yLabel: '', lines: [line('a'), line('b', true), line('c')] });
  const [a, b, c] = [...svg.matchAll(/<polyline [^>]*stroke="(?<color>#\w+)"/g)].map(({ groups }) => groups!.color);
  assert.equal(a, b);
  assert.notEqual(b, c);
});
