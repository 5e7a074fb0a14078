/**
 * Goal: a link that is broken, at both ends or at one, wholly or only for what was sent before, is replaced in less than 5 s once new
 * connections come through. Method: supervisors on a network in memory that is cut and mended, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, createWorld, eventOf, introduce, isFullMesh } from './test-world.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7006);

test('a peer whose network breaks and works again every few seconds is back in less than 5 s each time', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { knownPeers: [addressOf('b')] });
  await world.startNode('b');
  for (let cycle = 0; cycle < 100; cycle++) {
    await world.runUntil(() => a.links.size === 1, 5000);
    a.supervisor.nameNode('b', 'b');
    await world.run(100);
    // What the other end sees is the same as with a peer that will not have this node.
    for (const link of a.links) link.close('failed: ECONNRESET');
    await world.run(100);
  }
});

test('a link that is dead at the other end only gives way to its next one, whoever dials', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  const b = await world.startNode('b');
  introduce([a, b]);
  await world.run(10_000);
  const [dead] = a.links;
  assert.ok(dead!.dialled);
  // The peer gives up, comes back elsewhere, and no word of that reaches this end.
  world.setReachable('a', 'b', false);
  await b.crash();
  await world.startNode('b', { knownPeers: [addressOf('a')] }, 'new-host');
  await world.runUntil(() => a.links.size === 1 && !a.links.has(dead!), 5000);
});

test('a link whose packets wait for TCP to try again gives way to a new one as soon as the network works', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  const b = await world.startNode('b');
  a.supervisor.discovered(eventOf('found', 'b', ['b', 'b-again']));
  await world.runUntil(() => isFullMesh([a, b]), 5000);
  await world.run(12_000);
  const [old] = a.links;
  assert.equal(a.linkCount, 1, 'one that brings pings is left alone');
  world.setReachable('a', 'b', false);
  await world.run(9000);
  assert.ok(a.links.has(old!), 'kept as long as there is no other');
  // What was sent waits on, as it does while the pauses of TCP have grown; new connections come through.
  await b.transport.listen({ ...addressOf('b-again'), onChannel: (channel) => b.supervisor.accept(channel) });
  await world.runUntil(() => a.links.size === 1 && !a.links.has(old!), 5000);
});
