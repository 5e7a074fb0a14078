/**
 * Goal: whatever a network does, nodes become equal soon after it works again, and nothing is lost. Method: a sample of
 * each network suite of `npm run torture`, a different one every day; a failure names seed and case. A suite that cannot
 * run here is skipped with a reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NETWORK_SUITES } from '../torture/network-suites.ts';

const SCALE = Math.max(1, Number(process.env.ENTGLDB_TEST_SCALE ?? 1));
/** Days since 1970. */
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));
const SECONDS_MAX = 120 * SCALE;

for (const suite of NETWORK_SUITES) {
  const count = suite.counts.ci * SCALE;
  test(`${suite.name}, ${count} cases: ${suite.about}`, async (t) => {
    t.diagnostic(`seed ${SEED} (ENTGLDB_TEST_SEED)`);
    const deadline = performance.now() + SECONDS_MAX * 1000;
    const found = await suite.run({ count, seed: SEED, deadline, signal: t.signal });
    if (found.skipped !== null) {
      console.log(`SKIPPED: ${found.skipped}`);
      return t.skip(found.skipped);
    }
    t.diagnostic(`${found.cases} cases: ${found.notes.join('; ')}`);
    assert.deepEqual(found.problems, []);
    assert.ok(found.cases > 0, 'no case ran');
  });
}
