/**
 * Goal: live queries on two nodes that both write follow each other, show transactions whole, and equal `find` once all is
 * quiet. Method: two databases in this process with real sockets on loopback and real disks. A live query itself tells when
 * all is over.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyLiveChanges, type Collection, type LiveEntry } from '../../src/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { openOnLoopback } from './loopback-node.ts';
import { HUNG_MS, makeFolder, SCALE } from './node-process.ts';

const WRITES = 300 * SCALE;
const SORT = { n: -1 } as const;

interface Doc {
  readonly n: number;
  readonly pair?: number;
}

test('live queries of two nodes that write at once follow each other', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  await using one = await openOnLoopback(folder, 'one');
  await using two = await openOnLoopback(folder, 'two', [one]);
  const collections = [one, two].map((db) => db.collection<Doc>('docs'));
  const copies = collections.map(follow);
  const pairs = collections.map(watchPairs);
  await Promise.all(collections.map((docs, i) => writeMuch(docs, i)));
  await Promise.all(collections.map((docs) => until(docs, 'done-0', 'done-1')));
  const [first, second] = await Promise.all(collections.map((docs) => docs.findEntries({}, { sort: SORT, limit: 50 })));
  assert.deepEqual(first, second);
  for (const [i, copy] of copies.entries()) {
    assert.deepEqual(copy.live.getSnapshot(), copy.entries, `copy of node ${i}`);
    assert.deepEqual(
      copy.entries.map(({ key, value }) => [key, value]),
      first,
      `copy of node ${i}`,
    );
  }
  for (const torn of pairs) assert.deepEqual(torn, []);
});

/** A copy of the results that is updated only by the reported changes. */
function follow(docs: Collection<Doc>) {
  const live = docs.live({}, { sort: SORT, limit: 50 });
  const copy = { live, entries: [] as LiveEntry<Doc>[] };
  void (async () => {
    for await (const { changes } of live) copy.entries = applyLiveChanges(copy.entries, changes);
  })();
  live.subscribe(() => {});
  return copy;
}

/** Collects states in which the two documents of a pair differ, although they are only written together. */
function watchPairs(docs: Collection<Doc>): unknown[] {
  const torn: unknown[] = [];
  const live = docs.live({ pair: { $exists: true } });
  live.subscribe(() => {
    const numbers = new Map<string, number[]>();
    for (const { key, value } of live.getSnapshot() ?? [])
      numbers.set(key.slice(0, -2), [...(numbers.get(key.slice(0, -2)) ?? []), value.pair ?? 0]);
    for (const [key, [a, b]] of numbers) if (a !== b) torn.push([key, a, b]);
  });
  return torn;
}

async function writeMuch(docs: Collection<Doc>, node: number): Promise<void> {
  const random = createSeededRandom(node + 1);
  for (let n = 0; n < WRITES; n++) {
    const key = `k${random.integer(0, 99)}`;
    const what = random.integer(0, 4);
    if (what === 0) await docs.delete(key);
    else if (what === 1) await docs.putMany([0, 1].map((i) => [`pair-of-${node}-${i}`, { n: -1, pair: n }] as const));
    else await docs.put(key, { n: random.integer(0, 1000) });
  }
  await docs.put(`done-${node}`, { n: -2 });
}

async function until(docs: Collection<Doc>, ...keys: readonly string[]): Promise<void> {
  for await (const { results } of docs.live({ n: -2 }))
    if (keys.every((key) => results.some((entry) => entry.key === key))) return;
}
