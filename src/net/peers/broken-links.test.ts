/**
 * Goal: a link that is broken at one end or both, entirely or only for what was sent before, is replaced in less than 5 s once new
 * connections get through. Method: supervisors on a network in memory that is cut and restored, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { addressOf, createWorld, eventOf, introduce, isFullMesh } from './test-world.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7006);

test('a peer whose network fails and recovers every few seconds is linked again in less than 5 s each time', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { knownPeers: [addressOf('b')] });
  await world.startNode('b');
  for (let cycle = 0; cycle < 100; cycle++) {
    await world.runUntil(() => a.links.size === 1, 5000);
    a.supervisor.nameNode('b', 'b');
    await world.run(100);
    // To the other end this looks the same as a peer that refuses this node.
    for (const link of a.links) link.close('failed: ECONNRESET');
    await world.run(100);
  }
});

test('a link that is dead only at the other end is replaced by the next connection, whoever dials', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  const b = await world.startNode('b');
  introduce([a, b]);
  await world.run(10_000);
  const [dead] = a.links;
  assert.ok(dead!.dialled);
  // The peer gives up and comes back at another address; this end learns nothing of it.
  world.setReachable('a', 'b', false);
  await b.crash();
  await world.startNode('b', { knownPeers: [addressOf('a')] }, 'new-host');
  await world.runUntil(() => a.links.size === 1 && !a.links.has(dead!), 5000);
});

test('a link whose packets wait for a TCP retransmission is replaced as soon as the network works', async () => {
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
  // Sent data keeps waiting, as it does while the retransmission timeout of TCP has grown; new connections get through.
  await b.transport.listen({ ...addressOf('b-again'), onChannel: (channel) => b.supervisor.accept(channel) });
  await world.runUntil(() => a.links.size === 1 && !a.links.has(old!), 5000);
});

test('a link that died with an address of this node is replaced less than 3 s after the change is noticed', async () => {
  const world = createWorld(SEED);
  const [a, b] = [await world.startNode('a'), await world.startNode('b')];
  a.supervisor.discovered(eventOf('found', 'b', ['b', 'b-again']));
  await world.runUntil(() => isFullMesh([a, b]), 5000);
  await world.run(10_000);
  const [old] = a.links;
  await b.transport.listen({ ...addressOf('b-again'), onChannel: (channel) => b.supervisor.accept(channel) });
  world.setReachable('a', 'b', false);
  a.supervisor.networkChanged();
  const ms = await world.runUntil(() => a.links.size === 1 && !a.links.has(old!), 10_000);
  assert.ok(ms < 3000, `${ms} ms (seed ${SEED})`);
});

test('a network that loses large packets is reported once, however long it lasts, and again after it was good', async () => {
  const world = createWorld(SEED);
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message ?? '') };
  const a = await world.startNode('a', { knownPeers: [addressOf('b')], logger });
  await world.startNode('b');
  const stall = async (): Promise<void> => {
    await world.runUntil(() => a.links.size === 1, 5000);
    assert.equal(a.supervisor.isRestless('b'), warnings.length % 2 === 1);
    await world.run(8000);
    for (const link of a.links) link.close('the peer fell silent');
  };
  for (let i = 0; i < 5; i++) await stall();
  for (let i = 0; i < 20; i++) await stall();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /large packets are lost on the way/);
  await world.run(60_000);
  for (const link of a.links) link.close('the peer fell silent');
  await world.run(100);
  assert.equal(a.supervisor.isRestless('b'), false);
});

test('a node that is heard, and to which no connection comes, is told; a machine that was switched off is not', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  const b = await world.startNode('b');
  world.setReachable('a', 'b', false);
  introduce([a, b]);
  await world.run(10_000);
  assert.deepEqual(a.supervisor.troubles(), [], 'it may still be starting, or its last beacon may be recent');
  await world.run(50_000);
  const [trouble] = a.supervisor.troubles();
  assert.deepEqual([trouble?.kind, trouble?.address, trouble?.node], ['unreached', 'b:5000', null]);
  assert.ok(trouble!.forMs! > 30_000 && trouble!.why.length > 0, JSON.stringify(trouble));
  a.supervisor.discovered({ kind: 'lost', deviceKey: 'b' });
  assert.deepEqual(a.supervisor.troubles(), []);
  world.setReachable('a', 'b', true);
  a.hears(b);
  await world.runUntil(() => a.links.size === 1, 5000);
  assert.deepEqual(a.supervisor.troubles(), []);
});

test('a node whose links end again and again within seconds is told until one has lasted', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  const b = await world.startNode('b');
  introduce([a, b]);
  for (let cycle = 0; cycle < 5; cycle++) {
    await world.runUntil(() => a.links.size === 1, 10_000);
    a.supervisor.nameNode('b', 'till 2');
    await world.run(6000);
    for (const link of a.links) link.close('slow');
  }
  await world.run(5000);
  const [trouble] = a.supervisor.troubles();
  assert.deepEqual([trouble?.kind, trouble?.node, trouble?.forMs], ['restless', 'till 2', null]);
  await world.run(40_000);
  assert.deepEqual(a.supervisor.troubles(), []);
});
