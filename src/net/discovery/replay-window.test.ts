/**
 * Goal: each sequence number is admitted at most once, and refused only if it was heard or is 64 or more behind.
 * Method: random arrival orders compared with a plain set.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../testing/index.ts';
import { admitSequence, EMPTY_WINDOW } from './replay-window.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7002);

test('a window admits exactly the unheard numbers among the last 64', () => {
  const random = createSeededRandom(SEED);
  for (let run = 0; run < 200; run++) {
    let window = EMPTY_WINDOW;
    const heard = new Set<number>();
    let highest = -1;
    for (let i = 0; i < 200; i++) {
      const jump = random.chance(0.05) ? random.integer(60, 200) : 3;
      const sequence = Math.max(0, highest + random.integer(-70, jump));
      const expected = !heard.has(sequence) && sequence > highest - 64;
      const next = admitSequence(window, sequence);
      assert.equal(next !== undefined, expected, `seed ${SEED}, run ${run}, step ${i}, ${sequence} after ${highest}`);
      if (next === undefined) continue;
      window = next;
      heard.add(sequence);
      highest = Math.max(highest, sequence);
    }
  }
});
