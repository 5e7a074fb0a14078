// Goal: generated keys sort by time and are never repeated. Method: a seeded random source, and a clock that stands still,
// jumps ahead and goes back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeKeys } from './time-keys.ts';

const PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function seeded(): { bytes(count: number): Uint8Array; next(): number } {
  let state = 7;
  const next = (): number => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
  return { next, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(next() * 256)) };
}

test('a key is a UUID of version 7 that begins with its time', () => {
  const key = new TimeKeys(() => 0x0190_1234_5678, seeded()).next();
  assert.match(key, PATTERN);
  assert.ok(key.startsWith('01901234-5678-7'));
});

test('each key is above the one before, whether the clock stands still, jumps, or goes back', () => {
  let now = 1_700_000_000_000;
  const keys = new TimeKeys(() => now, seeded());
  const made: string[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (i % 5000 === 4999) now += i % 10_000 === 4999 ? -60_000 : 90_000;
    made.push(keys.next());
  }
  assert.deepEqual([...made].sort(), made);
  assert.equal(new Set(made).size, made.length);
  for (const key of made) assert.match(key, PATTERN);
});
