import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SliceSize } from './slice-size.ts';

/** Runs `count` slices on a machine where an item takes `itemMs`; returns how long the last slice took, ms. */
function afterSlices(size: SliceSize, count: number, itemMs: number): number {
  let nowMs = 0;
  let tookMs = 0;
  for (let i = 0; i < count; i++)
    size.run(
      () => nowMs,
      (items) => {
        tookMs = items * itemMs;
        nowMs += tookMs;
      },
    );
  return tookMs;
}

for (const itemMs of [0.01, 0.1, 0.3])
  test(`slices of items that take ${itemMs} ms settle at a few milliseconds`, () => {
    const tookMs = afterSlices(new SliceSize({ min: 8, max: 4096 }), 20, itemMs);
    assert.ok(tookMs >= 1 && tookMs <= 4.8, `${tookMs} ms`);
  });

test('slices grow and, when the machine becomes slow, shrink again, within their bounds', () => {
  const size = new SliceSize({ min: 8, max: 512 });
  afterSlices(size, 20, 0);
  assert.equal(size.items, 512);
  afterSlices(size, 20, 10);
  assert.equal(size.items, 8);
});
