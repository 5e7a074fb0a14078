/**
 * Goal: the simulator catches the kinds of bugs that replication can have. Method: each mutant is planted into a process of
 * its own and must be found there, by the directed scenario that it names or by random schedules from its first seed. The
 * same scenario or seed finds nothing in the code as it is. `npm run sim:mutants` also plays every scenario with every
 * mutant.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SCENARIOS } from '../scenarios/index.ts';
import { falseAlarms, howFound, huntOne, strayMutants } from './gate.ts';
import { MUTANTS } from './mutants.ts';

/** A small build machine has two cores. */
const AT_ONCE = 2;

test('every mutant fits the code', () => {
  assert.deepEqual(strayMutants(MUTANTS), []);
});

test('names of mutants and scenarios are unique, and every name that is referred to exists', () => {
  const names = MUTANTS.map(({ name }) => name);
  const scenarios = SCENARIOS.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  assert.deepEqual([...new Set(scenarios)], scenarios);
  const wanted = MUTANTS.map(({ scenario }) => scenario).filter((scenario) => scenario !== undefined);
  assert.deepEqual(new Set(wanted), new Set(scenarios), 'each scenario has a mutant of its own');
  for (const { alsoFailsWith = [] } of SCENARIOS)
    for (const name of alsoFailsWith) assert.ok(names.includes(name), name);
});

test('no scenario fails without a mutant', async () => {
  assert.deepEqual(await falseAlarms(), []);
});

describe('planted bugs', { concurrency: AT_ONCE }, () => {
  for (const mutant of MUTANTS) {
    test(`${mutant.name} is found (${mutant.rule})`, async (t) => {
      const verdict = await huntOne(mutant, { allScenarios: false });
      t.diagnostic(howFound(verdict));
      assert.deepEqual(verdict.faults, []);
    });
  }
});
