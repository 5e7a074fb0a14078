/**
 * Goal: a blob that is put while two nodes are connected arrives whole although the connection breaks again and again, and
 * no more is sent twice than may travel unconfirmed. Method: two nodes in this process. One reaches the other through a
 * proxy that resets all connections whenever another part of the blob has arrived.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../src/core/config/index.ts';
import type { NodeDatabase } from '../../src/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { FaultProxy } from './fault-proxy.ts';
import { openOnLoopback } from './loopback-node.ts';
import { eventually, makeFolder, SCALE } from './node-process.ts';

const CUTS = 4;
const BYTES = 16 * 1024 * 1024 * Math.min(SCALE, 16);
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

test(`a blob whose connection is cut ${CUTS} times arrives, and little is sent twice (seed ${SEED})`, async (t) => {
  const folder = await makeFolder(t);
  const normal = { persistence: { durability: 'normal' } } as const;
  await using a = await openOnLoopback(folder, 'a', [], normal);
  const proxy = await FaultProxy.open(t, a.address().tcp!.port);
  await using b = await openOnLoopback(folder, 'b', [], {
    ...normal,
    network: { retryDelayMs: 100, knownPeers: [{ address: proxy.address }] },
  });
  await eventually('the nodes are connected', () => b.isOnline);

  const random = createSeededRandom(SEED);
  const source = function* () {
    for (let at = 0; at < BYTES; at += 256 * 1024) yield random.bytes(256 * 1024);
  };
  const chunksHere = (db: NodeDatabase): number =>
    db.collections().find(({ name }) => name === '$blobs')?.documents ?? 0;
  const putting = a.blobs.put(source());
  for (let cut = 1; cut <= CUTS; cut++) {
    const chunks = (cut * BYTES) / (CUTS + 1) / (128 * 1024);
    await eventually(`part ${cut} of the blob arrived`, () => chunksHere(b) >= chunks);
    proxy.reset();
  }
  const ref = await putting;
  await eventually('all of it arrived', () => b.blobs.has(ref));

  let size = 0;
  for await (const chunk of b.blobs.get(ref)) size += chunk.length;
  assert.equal(size, BYTES);
  // b sends no documents, so the total that a exchanged is what it sent.
  const twice = a.syncTracker.getStatus().totals.documents - chunksHere(b);
  const unconfirmed = (LIMITS.blobCreditBytes + 2 * LIMITS.messageBytesMax) / (64 * 1024);
  t.diagnostic(`${chunksHere(b)} documents, ${twice} of them twice`);
  assert.ok(twice >= 0 && twice <= CUTS * unconfirmed, `${twice} documents were sent twice in ${CUTS} cuts`);
});
