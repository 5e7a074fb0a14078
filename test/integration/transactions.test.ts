// Goal: a transaction over several collections is whole on the receiving node too. Method: two nodes on loopback. In
// transactions, one writes the same number into two collections and counts in a third; the other keeps reading all three
// as of one moment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeDatabase } from '../../src/index.ts';
import { openOnLoopback } from './loopback-node.ts';
import { HUNG_MS, makeFolder } from './node-process.ts';

const TRANSACTIONS = 300;

interface Numbered {
  n: number;
}

test('a node that receives a transaction live sees all of it or nothing', async (t) => {
  const folder = await makeFolder(t);
  await using office = await openOnLoopback(folder, 'office');
  await using till = await openOnLoopback(folder, 'till', [office]);
  await write(till, 0);
  await till.replicated('left', 'x', { signal: AbortSignal.timeout(HUNG_MS) });
  const seen = watchWhole(office);
  for (let n = 1; n <= TRANSACTIONS; n++) await write(till, n);
  assert.ok((await seen) > 1, 'it was looked at in between');
  assert.equal(await office.collection('log').count(), TRANSACTIONS + 1);
});

function write(db: NodeDatabase, n: number): Promise<void> {
  return db.transaction(async (tx) => {
    await tx.collection<Numbered>('left').put('x', { n });
    await tx.collection('log').add({ n });
    await tx.collection<Numbered>('right').put('x', { n });
  });
}

/** Reads until the last state was seen. Resolves with the number of states seen. */
async function watchWhole(db: NodeDatabase): Promise<number> {
  let states = 0;
  for await (const change of db.collection<Numbered>('right').watch({ signal: AbortSignal.timeout(HUNG_MS) })) {
    const [left, right, log] = await db.transaction(async (tx) => [
      await tx.collection<Numbered>('left').get('x'),
      await tx.collection<Numbered>('right').get('x'),
      await tx.collection('log').count(),
    ]);
    assert.deepEqual([left, log], [right, (right as Numbered).n + 1], `after ${change.kind}`);
    states++;
    if ((right as Numbered).n === TRANSACTIONS) break;
  }
  return states;
}
