/**
 * Goal: no crash, power cut, failed disk call or flipped bit loses or falsifies anything silently. Method: a sample of each
 * suite of `npm run torture`, a different one every day; a failure names seed and case. Suites that need strace are skipped
 * with a reason where there is none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtFaultSuites } from '../torture/built-suites.ts';

const SCALE = Math.max(1, Number(process.env.ENTGLDB_TEST_SCALE ?? 1));
/** Days since 1970. */
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));
const SECONDS_MAX = 60 * SCALE;

for (const suite of await builtFaultSuites()) {
  const count = suite.counts.ci * SCALE;
  test(`${suite.name}, ${count} cases: ${suite.about}; nothing is silently lost or wrong`, async (t) => {
    t.diagnostic(`seed ${SEED} (ENTGLDB_TEST_SEED)`);
    const deadline = performance.now() + SECONDS_MAX * 1000;
    const { outcomes, problems, notes, skipped, cases } = await suite.run({
      count,
      seed: SEED,
      deadline,
      signal: t.signal,
    });
    if (skipped !== null) return t.skip(skipped);
    const { kept, healed, reported } = outcomes;
    t.diagnostic(`${cases} cases: ${kept} kept, ${healed} healed, ${reported} reported; ${notes.join('; ')}`);
    assert.deepEqual(problems, []);
    assert.ok(cases > 0, 'no case ran');
  });
}
