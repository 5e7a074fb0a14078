/**
 * Goal: one round per collection at a time, and nobody who makes no progress keeps a turn. Method: owners ask, progress and leave
 * at given times.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName } from '../core/ids/index.ts';
import { RoundGate } from './round-gate.ts';

const C = 'c' as CollectionName;
const STALL_MS = 1000;
const [first, second] = [{ name: 'first' }, { name: 'second' }];

test('one owner at a time; the next one is woken when the turn is free', () => {
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

test('who makes progress keeps its turn, who only asks again loses it', () => {
  const gate = new RoundGate(STALL_MS);
  assert.ok(gate.enter(C, first, 0));
  gate.progress(C, first, 900);
  gate.progress(C, second, 950);
  assert.ok(!gate.enter(C, second, 1800));
  assert.ok(gate.enter(C, first, 1850));
  assert.ok(gate.enter(C, second, 1900), 'no progress since 900');
  assert.ok(!gate.enter(C, first, 1901));
});
