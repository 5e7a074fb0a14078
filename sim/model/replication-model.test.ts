// Goal: under the rules, replicas converge, nothing comes back and nothing is lost; and every rule is needed. Method:
// random schedules from seeds. A failure shows its seed, which `node sim/model/main.ts explore 1 60 SEED` replays. With one
// rule off, its known seed must give a counterexample of the known kind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Counterexample, explore, search } from './explore.ts';
import { RULES, type Rules } from './replication-model.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

const COUNTEREXAMPLES: Readonly<Partial<Record<keyof Rules, Pick<Counterexample, 'seed' | 'kind'>>>> = {
  knownDrop: { seed: 321, kind: 'zombie' },
  claimAtEnd: { seed: 0, kind: 'diverged' },
  reconcileWhenPurged: { seed: 41, kind: 'diverged' },
  inheritPurged: { seed: 7, kind: 'diverged' },
  purgeOnlyKnown: { seed: 321, kind: 'zombie' },
  lines: { seed: 13287, kind: 'zombie' },
  newReplicaOnRestore: { seed: 6, kind: 'dot used twice' },
  sendChangedMeanwhile: { seed: 1, kind: 'diverged' },
  purgeLineAtClaim: { seed: 510, kind: 'diverged' },
  damageForgets: { seed: 3, kind: 'lost' },
};

test('in every random schedule, replicas converge, nothing comes back and nothing is lost', () => {
  const count = 5000 * SCALE;
  const first = Number(process.env.ENTGLDB_TEST_SEED ?? 0);
  assert.equal(search(first, count), null);
});

test('the same holds in long schedules', () => {
  assert.equal(search(1_000_000, 300 * SCALE, 400), null);
});

for (const [rule, known] of Object.entries(COUNTEREXAMPLES)) {
  test(`without ${rule} a schedule is found that ends badly: ${known.kind}`, () => {
    const found = explore(known.seed, 60, { ...RULES, [rule]: false });
    assert.deepEqual(found && { seed: found.seed, kind: found.kind }, known);
  });
}

test('every rule but the one kept by argument has a known counterexample', () => {
  const missing = Object.keys(RULES).filter((rule) => !(rule in COUNTEREXAMPLES));
  assert.deepEqual(missing, ['dropBreaksLine']);
});
