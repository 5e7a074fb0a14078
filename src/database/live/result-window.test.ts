/**
 * Goal: a window is always a prefix of the whole result, and knows whether it is all of it. Method: random puts and removals;
 * after each, the window is compared with a sorted copy of everything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareBySort } from '../../core/query/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { ResultWindow } from './result-window.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

interface Entry {
  readonly key: string;
  readonly characters: number;
  readonly value: { readonly n: number };
}

test('after random puts and removals the window is a prefix of the whole result', () => {
  const compare = compareBySort([{ path: ['n'], descending: false }]);
  for (let seed = 1; seed <= 200 * SCALE; seed++) {
    const random = createSeededRandom(seed);
    const entriesMax = random.integer(0, 12);
    const window = new ResultWindow<Entry>(compare, entriesMax);
    const all = new Map<string, Entry>();
    const sorted = (): Entry[] => [...all.values()].sort(compare);
    for (let step = 0; step < 200; step++) {
      const key = `k${random.integer(0, 30)}`;
      const what = random.integer(0, 20);
      if (what === 0) window.load(sorted());
      else if (what <= 9) {
        all.delete(key);
        window.remove(key);
      } else {
        const entry = { key, characters: random.integer(0, 99), value: { n: random.integer(0, 9) } };
        all.set(key, entry);
        window.put(entry);
      }
      assert.deepEqual([...window.from(0)], sorted().slice(0, window.size), `seed ${seed}, step ${step}`);
      assert.ok(window.size <= entriesMax, `seed ${seed}, step ${step}`);
      assert.ok(!window.isWhole || window.size === all.size, `seed ${seed}, step ${step}`);
      const characters = [...window.from(0)].reduce((sum, entry) => sum + entry.characters, 0);
      assert.equal(window.characters, characters, `seed ${seed}, step ${step}`);
      for (const entry of [...window.from(0)]) assert.equal(window.get(entry.key), entry);
    }
  }
});
