/**
 * Goal: the steps from one result to another lead exactly there, with the minimum number of moves and no step without effect.
 * Method: single cases, then random pairs of results with shared keys, by fast-check.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyLiveChanges, diffResults } from './diff-results.ts';
import type { LiveChange, LiveEntry } from './live-api.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

/** `a1` is key a with value 1. */
function resultOf(text: string): LiveEntry<number>[] {
  return text === '' ? [] : text.split(' ').map((word) => ({ key: word[0]!, value: Number(word.slice(1)) }));
}

function textOf(change: LiveChange<number>): string {
  const { kind, key, index } = change;
  return kind === 'moved' ? `${kind} ${key} ${change.from}>${index}` : `${kind} ${key} ${index}`;
}

function steps(before: string, after: string): string[] {
  return diffResults(resultOf(before), resultOf(after)).map(textOf);
}

test('each kind of change is one step', () => {
  assert.deepEqual(steps('a1 b1 c1', 'a1 b1 c1'), []);
  assert.deepEqual(steps('', 'a1 b1'), ['added a 0', 'added b 1']);
  assert.deepEqual(steps('a1 b1 c1', 'a1 c1'), ['removed b 1']);
  assert.deepEqual(steps('a1 c1', 'a1 b1 c1'), ['added b 1']);
  assert.deepEqual(steps('a1 b1 c1', 'a1 b2 c1'), ['changed b 1']);
  assert.deepEqual(steps('a1 b1 c1 d1', 'b1 c1 d1 a1'), ['moved a 0>3']);
  assert.deepEqual(steps('a1 b1 c1 d1', 'd2 a1 b1 c1'), ['moved d 3>0']);
});

test('the index of each step applies to the result of the step before', () => {
  assert.deepEqual(steps('a1 b1 c1 d1', 'x1 d1 b2'), [
    'removed c 2',
    'removed a 0',
    'added x 0',
    'moved d 2>1',
    'changed b 2',
  ]);
});

test('an equal value is no change, whatever the order of its members', () => {
  const before = [{ key: 'a', value: { x: 1, y: [1] } }];
  assert.deepEqual(diffResults(before, [{ key: 'a', value: { y: [1], x: 1 } }]), []);
});

test('random results: the steps lead from one to the other, with as few moves as possible', () => {
  const result = fc
    .uniqueArray(fc.record({ key: fc.constantFrom(...'abcdefghijkl'), value: fc.nat(2) }), {
      selector: ({ key }) => key,
    })
    .map((entries): LiveEntry<number>[] => entries.map(({ key, value }) => ({ key, value })));
  fc.assert(
    fc.property(result, result, (before, after) => {
      const changes = diffResults(before, after);
      assert.deepEqual(applyLiveChanges(before, changes), after);
      const kept = before.filter(({ key }) => after.some((entry) => entry.key === key)).map(({ key }) => key);
      const places = kept.map((key) => after.findIndex((entry) => entry.key === key));
      const moves = changes.filter(({ kind }) => kind === 'moved').length;
      assert.equal(moves, kept.length - longestRising(places), 'as few moves as possible');
    }),
    { numRuns: 1000 * SCALE },
  );
});

/** Length of a longest increasing subsequence, found by comparing every pair. */
function longestRising(places: readonly number[]): number {
  const lengths: number[] = [];
  for (const [i, place] of places.entries())
    lengths.push(1 + Math.max(0, ...lengths.filter((_, before) => before < i && places[before]! < place)));
  return Math.max(0, ...lengths);
}

test('a reversed result of 3,000 documents is compared in reasonable time', () => {
  const before = Array.from({ length: 3000 }, (_, i) => ({ key: `k${i}`, value: i }));
  const after = before.toReversed();
  assert.deepEqual(applyLiveChanges(before, diffResults(before, after)), after);
});
