/**
 * Goal: a long list of configured addresses where nobody is any more does not keep a node from the peers that are there.
 * Method: a supervisor with a thousand known peers that never answer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeoutError } from '../../core/errors/index.ts';
import type { DialOptions } from '../transport.ts';
import { addressOf, createWorld, linked, type World } from './test-world.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7008);
const DEAD = Array.from({ length: 1000 }, (_, i) => `dead-${i}`);
const CONNECT_MS_MAX = 5000;

/** A dial that is never answered. */
async function silence(world: World, { signal }: DialOptions): Promise<never> {
  await new Promise<void>((resolve) => {
    world.clock.setTimer(CONNECT_MS_MAX, resolve);
    signal?.addEventListener('abort', () => resolve());
  });
  signal?.throwIfAborted();
  throw new TimeoutError('did not answer', { details: { isConnected: false } });
}

async function startCrowded(world: World) {
  const underWay = { now: 0, most: 0 };
  const names = [...DEAD, 'live'];
  const node = await world.startNode('a', { knownPeers: names.map(addressOf) }, 'a', async (dial, { host }, given) => {
    if (!host.startsWith('dead')) return dial();
    underWay.most = Math.max(underWay.most, ++underWay.now);
    try {
      return await silence(world, given);
    } finally {
      underWay.now--;
    }
  });
  return { node, underWay };
}

test('the last of a thousand known peers is linked within a minute although all others are silent', async () => {
  const world = createWorld(SEED);
  await world.startNode('live');
  const { node, underWay } = await startCrowded(world);
  await world.runUntil(() => linked(node).length === 1, 60_000);
  assert.ok(underWay.most <= 128, `${underWay.most} dials at the same time`);
  await node.crash();
});

test('a peer that was linked before is back in less than 5 s, whoever else does not answer', async () => {
  const world = createWorld(SEED);
  const live = await world.startNode('live');
  const { node } = await startCrowded(world);
  await world.runUntil(() => linked(node).length === 1, 60_000);
  for (let i = 0; i < 5; i++) {
    await world.run(20_000);
    for (const channel of live.links) channel.close('network gone');
    await world.runUntil(() => linked(node).length === 0, 1000);
    await world.runUntil(() => linked(node).length === 1, 5000);
  }
  await node.crash();
});

test('many peers that were linked once and are gone do not keep a node from one that it has never seen', async () => {
  const world = createWorld(SEED);
  const gone = Array.from({ length: 100 }, (_, i) => `gone-${i}`);
  const others = await Promise.all(gone.map((name) => world.startNode(name)));
  let areGone = false;
  const onDial: Parameters<World['startNode']>[3] = (dial, { host }, given) =>
    areGone && host.startsWith('gone') ? silence(world, given) : dial();
  const node = await world.startNode('a', { knownPeers: gone.map(addressOf) }, 'a', onDial);
  await world.runUntil(() => linked(node).length === gone.length, 60_000);
  areGone = true;
  await Promise.all(others.map((other) => other.crash()));
  await world.run(60_000);
  await world.startNode('new');
  node.supervisor.setKnown([...gone, 'new'].map(addressOf));
  await world.runUntil(() => linked(node).length === 1, 5000);
  await node.crash();
});
