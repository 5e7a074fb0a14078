/**
 * Goal: work that a full disk refuses goes on once the disk has room, at the moment at which it always did, and is not tried in
 * vain before. Method: steps that commit to a memory store, on a clock that the test moves; they are counted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { createMemoryStore } from '../src/store/memory/index.ts';
import { createManualClock } from '../src/testing/index.ts';
import { workOn } from './work-on.ts';

function work(stepsMax = 1) {
  const clock = createManualClock();
  const store = createMemoryStore();
  const took = { steps: 0, commits: 0, isOver: false };
  workOn({ clock, store, isOver: () => took.isOver }, () => {
    took.steps++;
    store.commit({ meta: new Map([['done', String(took.steps)]]) });
    return ++took.commits >= stepsMax;
  });
  return { clock, store, took };
}

test('a step is taken each ms until one is the last', () => {
  const { clock, took } = work(3);
  clock.advance(2);
  assert.equal(took.steps, 2);
  clock.advance(100);
  assert.equal(took.steps, 3);
  assert.equal(clock.nextTimerAt(), undefined);
});

test('a disk that stays full is tried once, and again within 1 ms of getting room', () => {
  const { clock, store, took } = work();
  store.failCommits(Number.POSITIVE_INFINITY);
  clock.advance(100);
  assert.equal(took.steps, 1);
  store.failCommits(0);
  clock.advance(1);
  assert.deepEqual(took, { steps: 2, commits: 1, isOver: false });
});

test('a disk that refuses a few commits is tried each ms, so that the refusals come to an end', () => {
  const { clock, store, took } = work();
  store.failCommits(5);
  clock.advance(6);
  assert.deepEqual(took, { steps: 6, commits: 1, isOver: false });
});

test('a full disk on which a row is damaged meanwhile is tried again, because the step may find the row', () => {
  const { clock, store, took } = work();
  store.failCommits(Number.POSITIVE_INFINITY);
  clock.advance(10);
  store.damage('stock' as CollectionName, 'k' as DocumentKey);
  clock.advance(10);
  assert.equal(took.steps, 2);
});

test('no step is taken for a process that has ended', () => {
  const { clock, took } = work();
  took.isOver = true;
  clock.advance(10);
  assert.equal(took.steps, 0);
  assert.equal(clock.nextTimerAt(), undefined);
});
