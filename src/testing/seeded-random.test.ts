/**
 * Goal: a seed gives the same sequence for ever, so that a seed in a report replays its failure; and it is random enough.
 * Method: a golden sequence; means over many draws.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from './seeded-random.ts';

test('a seed gives the same sequence on every machine and in every release', () => {
  const random = createSeededRandom(1);
  assert.deepEqual(
    [random.next(), random.integer(1, 6), Buffer.from(random.bytes(5)).toString('hex'), random.fork().integer(0, 1e9)],
    [0.5636717720710586, 6, '5842b845c1', 277035431],
  );
});

test('different seeds, forks and draws differ', () => {
  const sources = [
    createSeededRandom(1),
    createSeededRandom(2),
    createSeededRandom(2 ** 40 + 1),
    createSeededRandom(1).fork(),
  ];
  const first = sources.map((source) => source.next());
  assert.equal(new Set(first).size, sources.length);
});

test('draws are evenly distributed', () => {
  const random = createSeededRandom(3);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[random.integer(0, 9)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, String(counts));
  const bytes = random.bytes(100_000);
  const mean = bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;
  assert.ok(Math.abs(mean - 127.5) < 2, String(mean));
});
