/**
 * Goal: nodes that can be linked are linked soon, once each, and for ever; those that cannot are tried at bounded cost.
 * Method: supervisors on a network in memory that is cut and restored, on a manual clock; `run` settles promises at each timer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, createWorld, eventOf, introduce, isFullMesh, linked, type WorldNode } from './test-world.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7005);

test('two nodes that hear each other are linked once, dialled by the smaller key, in less than half a second', async () => {
  const world = createWorld(SEED);
  const [a, b] = [await world.startNode('a'), await world.startNode('b')];
  introduce([a, b]);
  const ms = await world.runUntil(() => isFullMesh([a, b]), 5000);
  assert.ok(ms < 500, `${ms} ms (seed ${SEED})`);
  await world.run(60_000);
  assert.ok(isFullMesh([a, b]));
  assert.deepEqual([a.linkCount, b.linkCount], [1, 1]);
  assert.equal([...a.links][0]!.dialled, true);
});

test('eight nodes form a full mesh, and each pair keeps exactly one connection', async () => {
  const world = createWorld(SEED);
  const nodes = await Promise.all([...'abcdefgh'].map((name) => world.startNode(name)));
  introduce(nodes);
  await world.runUntil(() => isFullMesh(nodes), 5000);
  await world.run(120_000);
  assert.ok(isFullMesh(nodes));
});

test('known peers that dial each other at the same moment agree on the connection dialled by the smaller key', async () => {
  for (let run = 0; run < 20; run++) {
    const world = createWorld(SEED + run);
    const b = await world.startNode('b', { knownPeers: [addressOf('a')] });
    const a = await world.startNode('a', { knownPeers: [addressOf('b')] });
    await world.run(3000);
    assert.deepEqual([linked(a), linked(b)], [['b'], ['a']], `seed ${SEED + run}`);
    await world.run(60_000);
    assert.deepEqual([a.links.size, b.links.size], [1, 1], `seed ${SEED + run}`);
    assert.deepEqual([[...a.links][0]!.dialled, [...b.links][0]!.dialled], [true, false], `seed ${SEED + run}`);
  }
});

test('an absent known peer is dialled for ever, and linked in less than 5 s when it appears', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { knownPeers: [addressOf('b')] });
  await world.run(3600_000);
  const late = a.dials.filter((dial) => dial.at > 3_000_000);
  assert.ok(late.length > 300, `${late.length} dials in the last ten minutes`);
  const gaps = a.dials.slice(1).map((dial, i) => dial.at - a.dials[i]!.at);
  assert.ok(Math.max(...gaps) <= 3000);
  assert.ok(a.dials.length < 5000, `${a.dials.length} dials in an hour`);
  const [status] = a.supervisor.status();
  assert.equal(status!.deviceKey, null);
  assert.equal(status!.lastError!.reason, 'RETRIES_EXHAUSTED');
  assert.doesNotMatch(status!.lastError!.message, /failed 3 times/, 'what is wrong, not how often it was tried');
  const b = await world.startNode('b');
  await world.runUntil(() => a.links.size === 1, 5000);
  assert.equal(b.links.size, 1);
});

test('a peer that comes back after a crash is linked again in less than 5 s, a hundred times, and nothing grows', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  for (let cycle = 0; cycle < 100; cycle++) {
    const b = await world.startNode('b');
    introduce([a, b]);
    a.hears(b, cycle === 0 ? 'found' : 'restarted');
    await world.runUntil(() => isFullMesh([a, b]), 5000);
    await world.run(cycle % 7 === 0 ? 30_000 : 500);
    await b.crash();
    await world.run(cycle % 3 === 0 ? 40_000 : 200);
    assert.equal(a.links.size, 0);
  }
  assert.equal(a.supervisor.status().length, 1);
});

test('the new connection of a restarted peer replaces its half-open link', async () => {
  for (const [dialler, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const world = createWorld(SEED);
    const left = await world.startNode(dialler);
    const right = await world.startNode(other);
    introduce([left, right]);
    await world.run(10_000);
    assert.ok(isFullMesh([left, right]));
    // The peer loses power and comes back under another address; this end has learnt nothing of it.
    world.setReachable(dialler, other, false);
    await right.crash();
    await world.run(1000);
    assert.equal(left.links.size, 1);
    const reborn = await world.startNode(other, {}, 'new-host');
    left.hears(reborn, 'restarted');
    reborn.hears(left);
    const ms = await world.runUntil(() => reborn.links.size === 1 && left.links.size === 1, 10_000);
    assert.ok(ms < 5000, `${ms} ms (seed ${SEED})`);
    await world.run(60_000);
    assert.ok(isFullMesh([left, reborn]));
  }
});

test('a second connection from the same dialler takes over only if it lasts', async () => {
  const world = createWorld(SEED);
  const b = await world.startNode('b', { knownPeers: [addressOf('a')] });
  const a = await world.startNode('a');
  await world.run(10_000);
  const [first] = b.links;
  const short = dialFrom(b, 'a');
  await world.run(5);
  (await short).close('duplicate');
  await world.run(1000);
  assert.ok(b.links.has(first!));
  assert.equal(a.linkCount, 1);
  const lasting = dialFrom(b, 'a');
  await world.run(1000);
  const channel = await lasting;
  assert.equal(a.linkCount, 2);
  assert.deepEqual(a.ends, ['duplicate']);
  let heard = '';
  channel.onFrame = (frame) => {
    heard = Buffer.from(frame).toString();
  };
  [...a.links][0]!.send(Buffer.from('still here'));
  await world.run(10);
  assert.equal(heard, 'still here');
});

test('frames that arrive before the link has an owner are kept, and a peer that sends too many is closed', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  const b = await world.startNode('b', { knownPeers: [addressOf('a')] });
  await world.run(10_000);
  const dialling = dialFrom(b, 'a');
  await world.run(5);
  const channel = await dialling;
  for (let i = 0; i < 100; i++) channel.send(Buffer.from([i]));
  await world.run(1000);
  assert.equal(a.linkCount, 1, 'the link that was there has stayed');
});

test('the addresses of one peer are raced, and a dead one does not delay the others', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a');
  await world.startNode('b');
  world.setReachable('a', 'dead', false);
  a.supervisor.discovered(eventOf('found', 'b', ['dead', 'b']));
  const ms = await world.runUntil(() => a.links.size === 1, 5000);
  assert.ok(ms < 1000, `${ms} ms (seed ${SEED})`);
  await world.run(60_000);
  assert.equal(a.linkCount, 1);
});

test("a node's own address among its known peers is dialled once and shown as self, until the network changes", async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { knownPeers: [addressOf('a')] });
  await world.run(600_000);
  assert.equal(a.dials.length, 1);
  assert.equal(a.supervisor.status()[0]!.state, 'self');
  a.supervisor.networkChanged();
  await world.run(60_000);
  assert.equal(a.dials.length, 2);
});

test('two configured addresses of one peer make one link and one entry', async () => {
  const world = createWorld(SEED);
  const b = await world.startNode('b');
  await b.transport.listen({ host: 'b-alias', port: 5000, onChannel: (channel) => b.supervisor.accept(channel) });
  const a = await world.startNode('a', { knownPeers: [addressOf('b'), addressOf('b-alias')] });
  a.hears(b);
  await world.run(10_000);
  const { linkCount } = a;
  await world.run(300_000);
  assert.deepEqual([linked(a), linked(b)], [['b'], ['a']]);
  assert.equal(a.linkCount, linkCount, 'and it is quiet');
  assert.equal(a.supervisor.status().length, 1);
});

test('a change of the network restarts dialling immediately', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { knownPeers: [addressOf('b')] });
  await world.run(600_000);
  await world.startNode('b');
  a.supervisor.discovered({ kind: 'interfaces-changed' });
  const ms = await world.runUntil(() => a.links.size === 1, 40_000);
  assert.ok(ms < 2000, `${ms} ms (seed ${SEED})`);
});

test('after a change of the network, a link that receives something stays, and a silent one is closed and replaced', async () => {
  const world = createWorld(SEED);
  const [a, b] = [await world.startNode('a'), await world.startNode('b')];
  introduce([a, b]);
  await world.run(10_000);
  a.supervisor.networkChanged();
  for (const link of b.links) link.send(new Uint8Array(1));
  await world.run(10_000);
  assert.equal(a.linkCount, 1);
  b.isMute = true;
  a.supervisor.networkChanged();
  await world.run(5000);
  assert.equal(a.ends.length, 1);
  assert.equal(a.linkCount, 2);
  assert.ok(isFullMesh([a, b]));
});

test('a peer that accepts and immediately closes connections is not dialled in a tight loop', async () => {
  const world = createWorld(SEED);
  const b = await world.startNode('b');
  await b.transport.listen({ host: 'rude', port: 5000, onChannel: (channel) => channel.close('protocol') });
  const a = await world.startNode('a', { knownPeers: [addressOf('rude')] });
  await world.run(600_000);
  assert.ok(a.dials.length > 20 && a.dials.length < 120, `${a.dials.length} dials in ten minutes (seed ${SEED})`);
});

test('forty nodes form a connected mesh with few links each, and repair it when nodes die', async () => {
  const world = createWorld(SEED);
  const nodes = [];
  for (let i = 0; i < 40; i++) nodes.push(await world.startNode(`node-${String(i).padStart(2, '0')}`));
  introduce(nodes);
  await world.run(5000);
  assertMesh(nodes);
  const dead = nodes.splice(5, 8);
  for (const one of dead) await one.crash();
  for (const node of nodes) for (const one of dead) node.supervisor.discovered({ kind: 'lost', deviceKey: one.name });
  await world.run(120_000);
  assertMesh(nodes);
});

test('a node that begins to keep only some collections is linked with three relaying nodes, and the others stay a mesh', async () => {
  const world = createWorld(SEED);
  const partial = new Set<string>();
  const nodes: WorldNode[] = [];
  for (let i = 0; i < 20; i++) {
    const name = `node-${String(i).padStart(2, '0')}`;
    nodes.push(await world.startNode(name, { relaysAll: () => !partial.has(name) }));
  }
  introduce(nodes);
  await world.run(5000);
  assertMesh(nodes);
  const some = nodes.splice(0, 8);
  for (const one of some) partial.add(one.name);
  for (const node of [...some, ...nodes]) for (const one of some) if (one !== node) node.hears(one, 'moved', false);
  await world.run(120_000);
  for (const one of some) {
    assert.equal(linked(one).length, 3, `${one.name} (seed ${SEED})`);
    assert.ok(linked(one).every((name) => !partial.has(name)));
  }
  const reached = new Set([nodes[0]!.name]);
  for (const name of reached)
    for (const other of linked(nodes.find((node) => node.name === name)!)) if (!partial.has(other)) reached.add(other);
  assert.equal(reached.size, nodes.length, `seed ${SEED}`);
});

function assertMesh(nodes: readonly WorldNode[]): void {
  const byName = new Map(nodes.map((node) => [node.name, linked(node)]));
  const reached = new Set([nodes[0]!.name]);
  for (const name of reached) for (const other of byName.get(name)!) reached.add(other);
  assert.equal(reached.size, nodes.length, `seed ${SEED}`);
  for (const [name, others] of byName) {
    assert.ok(others.length >= 4 && others.length <= 10, `${name} has ${others.length} links (seed ${SEED})`);
    assert.equal(new Set(others).size, others.length);
  }
}

test('the number of links is bounded, but a wanted peer takes the place of another', async () => {
  const world = createWorld(SEED);
  const hub = await world.startNode('hub', { limits: { linksMax: 5 } });
  const others = [];
  for (let i = 0; i < 8; i++) others.push(await world.startNode(`x${i}`, { knownPeers: [addressOf('hub')] }));
  await world.run(30_000);
  assert.equal(hub.links.size, 5);
  const missing = others.find((node) => node.links.size === 0)!;
  hub.hears(missing);
  await world.runUntil(() => missing.links.size === 1, 40_000);
  assert.ok(hub.links.size <= 5);
});

test('at most as many answering peers as the limit are dialled at the same time, and all get their turn', async () => {
  const world = createWorld(SEED);
  const names = Array.from({ length: 40 }, (_, i) => `dead-${i}`);
  for (const name of names) world.setReachable('a', name, false);
  const options = { knownPeers: names.map(addressOf), limits: { dialsMax: 4 } };
  const a = await world.startNode('a', options, 'a', (dial, _address, { onAnswer }) => {
    onAnswer?.();
    return dial();
  });
  let most = 0;
  for (let i = 0; i < 600; i++) {
    await world.run(1000);
    most = Math.max(most, a.supervisor.status().filter((peer) => peer.state === 'connecting').length);
  }
  assert.equal(most, 4);
  assert.equal(new Set(a.dials.map((dial) => dial.host)).size, 40);
});

test('devices that come and go leave nothing behind', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { limits: { peersMax: 20 } });
  for (let i = 0; i < 300; i++) {
    a.supervisor.discovered(eventOf('found', `guest-${i}`));
    a.supervisor.discovered({ kind: 'lost', deviceKey: `guest-${i}` });
    assert.ok(a.supervisor.status().length <= 20);
  }
  await world.run(10_000);
  assert.deepEqual(a.supervisor.status(), []);
  const many = Array.from({ length: 21 }, (_, i) => addressOf(`k${i}`));
  await assert.rejects(world.startNode('z', { knownPeers: many, limits: { peersMax: 20 } }), RangeError);
});

test('status says who is linked, under which name, and why another peer is not', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { knownPeers: [addressOf('nobody')] });
  const b = await world.startNode('b');
  const c = await world.startNode('c', { knownPeers: [addressOf('a')] });
  introduce([a, b]);
  await world.run(5000);
  a.supervisor.nameNode('b', 'till 2');
  const rows = a.supervisor.status().map(({ deviceKey, node, state, origin }) => [deviceKey, node, state, origin]);
  assert.deepEqual(rows.slice(1), [
    ['b', 'till 2', 'connected', 'discovered'],
    ['c', null, 'connected', 'incoming'],
  ]);
  assert.deepEqual([rows[0]![0], rows[0]![3]], [null, 'known']);
  assert.ok(a.supervisor.status()[0]!.lastError!.message.includes('nobody'));
  assert.ok(c.supervisor.isLinked('a'));
});

test('after close there is no link, timer or dial left, and incoming connections are refused', async () => {
  const world = createWorld(SEED);
  const a = await world.startNode('a', { knownPeers: [addressOf('b'), addressOf('nobody')] });
  const b = await world.startNode('b');
  await world.run(200);
  await Promise.all([a.supervisor.close(), b.supervisor.close()]);
  await world.run(100);
  assert.deepEqual([a.links.size, b.links.size], [0, 0]);
  const before = a.dials.length;
  const incoming = dialFrom(b, 'a');
  await world.run(10);
  let reason = '';
  (await incoming).onClose = (given) => {
    reason = given;
  };
  await world.run(1000);
  assert.equal(reason, 'ended');
  assert.equal(a.dials.length, before);
  assert.equal(world.clock.nextTimerAt(), undefined);
});

function dialFrom(node: WorldNode, name: string) {
  return node.transport.dial(addressOf(name));
}

test('when the configured peers of a running node change, new ones are linked and removed ones closed, unless they dialled', async () => {
  const world = createWorld(SEED);
  const [b, c] = [await world.startNode('b'), await world.startNode('c')];
  const a = await world.startNode('a', { knownPeers: [addressOf('b')] });
  await world.runUntil(() => a.links.size === 1, 5000);
  assert.deepEqual(a.supervisor.setKnown([addressOf('c')]), ['b']);
  assert.equal(a.dials.at(-1)!.host, addressOf('c').host, 'in the same step: a timer would wait a millisecond');
  await world.runUntil(() => linked(a).join() === 'c', 5000);
  await world.run(120_000);
  assert.deepEqual([linked(a), b.links.size, c.links.size], [['c'], 0, 1]);
  assert.ok(a.ends.includes('removed'));
  const dials = a.dials.length;
  assert.deepEqual(a.supervisor.setKnown([addressOf('c')]), [], 'nothing changes, nothing happens');
  await world.run(60_000);
  assert.equal(a.dials.length, dials);

  const d = await world.startNode('d', { knownPeers: [addressOf('a')] });
  await world.runUntil(() => d.links.size === 1, 5000);
  a.supervisor.setKnown([addressOf('c'), addressOf('d')]);
  await world.run(5000);
  a.supervisor.setKnown([addressOf('c')]);
  await world.run(60_000);
  assert.deepEqual(linked(a), ['c', 'd'], 'it dials this node');
  assert.throws(() => a.supervisor.setKnown(Array.from({ length: 2000 }, (_, i) => addressOf(`x${i}`))), RangeError);
});
