/**
 * Goal: one round per collection at a time, and an owner without progress loses its turn. Method: owners ask, progress and leave
 * at given times.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName } from '../core/ids/index.ts';
import { RoundGate } from './round-gate.ts';

const C = 'c' as CollectionName;
const STALL_MS = 1000;
const [first, second] = [{ name: 'first' }, { name: 'second' }];

test('one owner holds a turn at a time; others are woken when it becomes free', () => {
  const gate = new RoundGate(STALL_MS);
  let woken = 0;
  const stop = gate.onFree(() => woken++);
  assert.ok(gate.enter(C, first, 0));
  assert.ok(gate.enter(C, first, 1), 'it is its own already');
  assert.ok(!gate.enter(C, second, 2));
  assert.ok(gate.enter('d' as CollectionName, second, 2), 'other collections have turns of their own');
  gate.leave(C, second);
  assert.equal(woken, 0, 'only the owner gives its turn back');
  gate.leave(C, first);
  assert.equal(woken, 1);
  stop();
  assert.ok(gate.enter(C, second, 3));
  gate.leaveAll(second);
  assert.equal(woken, 1);
  assert.ok(gate.enter(C, first, 4));
});

test('an owner that makes progress keeps its turn, one that only asks again loses it', () => {
  const gate = new RoundGate(STALL_MS);
  assert.ok(gate.enter(C, first, 0));
  gate.progress(C, first, 900);
  gate.progress(C, second, 950);
  assert.ok(!gate.enter(C, second, 1800));
  assert.ok(gate.enter(C, first, 1850));
  assert.ok(gate.enter(C, second, 1900), 'no progress since 900');
  assert.ok(!gate.enter(C, first, 1901));
});
