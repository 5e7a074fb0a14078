/**
 * Goal: filters with thousands of terms mean the same as short ones and are not evaluated term by term. Method: random
 * filters and documents against the definition, `matches`; cases for how filters are joined and what they cost.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { conditionsLookedAt, matches, parseFilter, toPredicate } from './index.ts';
import { allOf, anyOf } from './join-equalities.ts';
import { documentSamples, filterSamples } from './test-query-samples.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

const many = (make: (i: number) => object): object => ({ $or: Array.from({ length: 5000 }, (_, i) => make(i)) });

test('a predicate is true exactly where the filter matches, however many alternatives there are', () => {
  let held = 0;
  fc.assert(
    fc.property(
      fc.array(filterSamples, { minLength: 1, maxLength: 20, size: 'max' }),
      fc.array(documentSamples, { minLength: 5, maxLength: 20, size: 'max' }),
      (filters, documents) => {
        const or = { kind: 'or', filters: filters.map(parseFilter) } as const;
        const predicate = toPredicate(or);
        for (const document of documents) {
          assert.equal(predicate(document), matches(or, document));
          if (predicate(document)) held++;
        }
      },
    ),
    { numRuns: 300 * SCALE },
  );
  assert.ok(held > 1000, `it held ${held} times`);
});

test('joined filters match exactly where their parts do', () => {
  fc.assert(
    fc.property(fc.array(filterSamples, { maxLength: 6, size: 'max' }), documentSamples, (samples, document) => {
      const filters = samples.map(parseFilter);
      const held = filters.map((filter) => matches(filter, document));
      assert.equal(matches(allOf(filters), document), held.every(Boolean));
      if (filters.length > 0) assert.equal(matches(anyOf(filters), document), held.some(Boolean));
    }),
    { numRuns: 2000 * SCALE },
  );
});

test('equalities on one path become one membership test, also in arrays and under a not', () => {
  assert.deepEqual(parseFilter({ $or: [{ a: 1 }, { b: 1 }, { a: { $in: [2, 1] } }] }), {
    kind: 'or',
    filters: [
      { kind: 'in', path: ['a'], values: [1, 2] },
      { kind: 'eq', path: ['b'], value: 1 },
    ],
  });
  assert.deepEqual(parseFilter({ $or: [{ 'a[]': 1 }, { 'a[]': 2 }] }), {
    kind: 'elem',
    path: ['a'],
    filter: { kind: 'in', path: [], values: [1, 2] },
  });
  assert.deepEqual(parseFilter({ $and: [{ a: { $ne: 1 } }, { a: { $ne: 2 } }] }), {
    kind: 'not',
    filter: { kind: 'in', path: ['a'], values: [1, 2] },
  });
});

test('terms looked up by value cost one condition, however many they are', () => {
  assert.equal(conditionsLookedAt(parseFilter(many((i) => ({ a: i })))), 1);
  assert.equal(conditionsLookedAt(parseFilter(many((i) => ({ a: i, b: { $gt: i } })))), 1);
  assert.equal(conditionsLookedAt(parseFilter(many((i) => ({ [`f${i % 3}`]: i })))), 3);
  assert.equal(conditionsLookedAt(parseFilter(many((i) => ({ a: { $gt: i } })))), 5000);
});
