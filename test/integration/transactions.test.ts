// Goal: a transaction over several collections is whole on the node that receives it, too. Method: two nodes on loopback; one
// writes the same number into two collections, and counts in a third, by transactions, while the other looks at all of them, as
// of one moment, all the time.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';

const TRANSACTIONS = 300;

interface Numbered {
  n: number;
}

test('whoever receives a transaction live sees all of it or nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-transactions-'));
  t.after(() => rm(folder, { recursive: true }));
  const open = (nodeId: string, peers: readonly string[]): Promise<NodeDatabase> =>
    openDatabase({
      nodeId,
      network: {
        authToken: 'a token of this test, long enough',
        localhostOnly: true,
        enableDiscovery: false,
        tcpPort: 0,
        knownPeers: peers.map((address) => ({ address })),
      },
      persistence: { databasePath: join(folder, `${nodeId}.db`) },
    });
  await using office = await open('office', []);
  await using till = await open('till', [`127.0.0.1:${office.address().tcp?.port}`]);
  await write(till, 0);
  await till.replicated('left', 'x', { signal: AbortSignal.timeout(20_000) });
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

/** Resolves with how many states were seen, when the last one was. */
async function watchWhole(db: NodeDatabase): Promise<number> {
  let states = 0;
  for await (const change of db.collection<Numbered>('right').watch({ signal: AbortSignal.timeout(30_000) })) {
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
