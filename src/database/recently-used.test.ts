/**
 * Goal: kept values stay within both bounds, and the least recently used are dropped first.
 * Method: directed cases; random use compared with a plain list.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../testing/index.ts';
import { RecentlyUsed } from './recently-used.ts';

test('a lookup counts as use, and the value unused for longest is dropped', () => {
  const kept = new RecentlyUsed<number>({ weightMax: 30 });
  for (const [i, key] of ['a', 'b', 'c'].entries()) kept.set('s', key, i, 10);
  assert.equal(kept.get('s', 'a'), 0);
  kept.set('s', 'd', 3, 10);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => kept.get('s', key)),
    [0, undefined, 2, 3],
  );
  assert.deepEqual([kept.size, kept.weight, kept.evictions], [3, 30, 1]);
});

test('a value that is too heavy by itself is not kept, and the former value is dropped', () => {
  const kept = new RecentlyUsed<string>({ weightMax: 30 });
  kept.set('s', 'a', 'light', 10);
  kept.set('s', 'a', 'heavy', 31);
  assert.deepEqual([kept.get('s', 'a'), kept.size, kept.weight, kept.evictions], [undefined, 0, 0, 0]);
});

interface Held {
  readonly space: string;
  readonly key: string;
  readonly value: number;
  readonly weight: number;
}

test('under random use, it keeps what a plain list keeps, in several spaces', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = createSeededRandom(seed);
    let weightMax = 200;
    const countMax = 12;
    const kept = new RecentlyUsed<number>({ weightMax, countMax });
    let list: Held[] = [];
    const weigh = (): number => list.reduce((sum, { weight }) => sum + weight, 0);
    for (let step = 0; step < 1000; step++) {
      const [space, key] = [`s${random.integer(0, 3)}`, `k${random.integer(0, 9)}`];
      const at = list.findIndex((held) => held.space === space && held.key === key);
      const held = list[at];
      const what = random.integer(0, 99);
      if (what < 40) {
        assert.equal(kept.get(space, key), held?.value, `seed ${seed}`);
        if (held) list = [...list.toSpliced(at, 1), held];
      } else if (what < 85) {
        const weight = random.integer(1, 60);
        kept.set(space, key, step, weight);
        if (held) list = list.toSpliced(at, 1);
        if (weight <= weightMax) list.push({ space, key, value: step, weight });
      } else if (what < 95) {
        assert.equal(kept.delete(space, key), held !== undefined);
        if (held) list = list.toSpliced(at, 1);
      } else if (what < 99) {
        weightMax = random.integer(50, 300);
        kept.resize(weightMax);
      } else {
        kept.clear();
        list = [];
      }
      while (weigh() > weightMax || list.length > countMax) list.shift();
      assert.deepEqual([kept.size, kept.weight], [list.length, weigh()], `seed ${seed}`);
    }
  }
});
