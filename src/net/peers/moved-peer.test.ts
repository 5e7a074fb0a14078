/**
 * Goal: a node that comes to a configured address is linked, although the peer that used to answer there is linked in another way, and
 * looking for it disturbs no link. Method: supervisors on a network in memory, without discovery, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, createWorld, linked } from './test-world.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7013);
const MINUTE = 60_000;

/** The node `asker` is configured with an address at which `old` answers; then `old` moves away, and dials. */
async function moved(asker: string, old: string) {
  const world = createWorld(SEED);
  const before = await world.startNode(old, {}, 'host');
  const a = await world.startNode(asker, { knownPeers: [addressOf('host')] });
  await world.runUntil(() => a.links.size === 1, 5000);
  await world.run(MINUTE);
  await before.crash();
  const after = await world.startNode(old, { knownPeers: [addressOf(asker)] }, 'elsewhere');
  await world.runUntil(() => a.links.size === 1 && after.links.size === 1, 10_000);
  return { world, a, after };
}

for (const [asker, old, newcomer] of [
  ['a', 'b', 'c'],
  ['b', 'a', 'c'],
  ['c', 'b', 'a'],
] as const) {
  test(`${asker} is linked with ${newcomer}, which got the address of ${old}, and keeps its link with ${old}`, async () => {
    const { world, a, after } = await moved(asker, old);
    await world.run(10 * MINUTE);
    const links = [a.linkCount, after.linkCount];
    const fresh = await world.startNode(newcomer, {}, 'host');
    const ms = await world.runUntil(() => a.links.size === 2, 10_000);
    assert.ok(ms < 5000, `${ms} ms (seed ${SEED})`);
    await world.run(30 * MINUTE);
    assert.deepEqual(linked(a), [old, newcomer].sort(), `seed ${SEED}`);
    assert.deepEqual([a.linkCount, after.linkCount, fresh.linkCount], [links[0]! + 1, links[1], 1]);
  });

  test(`${asker} looks for ${old} at an address where nobody is any more: that costs no link and troubles nobody`, async () => {
    const { world, a } = await moved(asker, old);
    const [links, dials] = [a.linkCount, a.dials.length];
    await world.run(60 * MINUTE);
    assert.equal(a.linkCount, links);
    const perMinute = (a.dials.length - dials) / 60;
    assert.ok(perMinute > 10 && perMinute < 120, `${perMinute} dials in a minute`);
    const [status] = a.supervisor.status();
    assert.deepEqual([status!.deviceKey, status!.state, status!.attempts], [old, 'connected', 0]);
    assert.deepEqual(a.supervisor.troubles(), []);
  });

  test(`${asker} looks rarely at an address that leads to ${old}, linked in another way, and exchanges none`, async () => {
    const world = createWorld(SEED);
    const b = await world.startNode(old, { knownPeers: [addressOf(asker)] });
    const a = await world.startNode(asker, { knownPeers: [addressOf(old), addressOf('other-way')] });
    // A second address of the same node, as of another interface.
    const way = await b.transport.listen({ ...addressOf('other-way'), onChannel: (c) => b.supervisor.accept(c) });
    await world.run(MINUTE);
    const [links, dials, ends] = [a.linkCount, a.dials.length, a.ends.length];
    await world.run(100 * MINUTE);
    assert.deepEqual([a.linkCount, a.ends.length], [links, ends], `seed ${SEED}`);
    const probes = a.dials.length - dials;
    assert.ok(probes >= 9 && probes <= 22, `${probes} probes in 100 minutes (seed ${SEED})`);
    assert.deepEqual([linked(a), linked(b)], [[old], [asker]]);
    await way.close();
  });
}

test('an address that leads to the peer is dialled at once when the link goes quiet, however lately it was looked at', async () => {
  const world = createWorld(SEED);
  const b = await world.startNode('b', { knownPeers: [addressOf('c')] });
  const c = await world.startNode('c');
  await world.runUntil(() => c.links.size === 1, 5000);
  c.supervisor.setKnown([addressOf('b')]);
  await world.run(MINUTE);
  const before = c.dials.length;
  assert.ok(before > 0);
  await b.crash();
  const again = await world.startNode('b');
  await world.runUntil(() => again.links.size === 1, 5000);
  assert.deepEqual(linked(c), ['b']);
});
