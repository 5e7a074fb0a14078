/**
 * Goal: nodes find each other soon and lose nobody, whatever their clocks say and whoever else sends on the network.
 * Method: whole Discovery objects on a network in memory with a manual clock; forged, recorded and flooding datagrams injected.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '../../core/logging/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import {
  createDatagramNetwork,
  createManualClock,
  createSeededRandom,
  type DatagramNetwork,
  type ManualClock,
} from '../../testing/index.ts';
import { type Beacon, decodeBeacon, encodeBeacon } from './beacon.ts';
import { beaconTag, deriveBeaconKey } from './beacon-key.ts';
import { Discovery, type DiscoveryOptions } from './discovery.ts';
import type { DiscoveryEvent } from './events.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7003);
const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const KEY = deriveBeaconKey(Buffer.alloc(32, 1));

function setUpNetwork() {
  const clock = createManualClock();
  return { clock, network: createDatagramNetwork(clock) };
}

let seed = SEED;

async function startNode(
  clock: ManualClock,
  network: DatagramNetwork,
  name: string,
  options: Partial<DiscoveryOptions> & { logger?: Logger; wallOffsetMs?: number } = {},
) {
  seed++;
  const port = network.createPort(`10.0.0.${name}`);
  const events: DiscoveryEvent[] = [];
  const discovery = new Discovery(
    {
      udpPort: 6000,
      tcpPort: 5000,
      deviceKey: name,
      replica: `replica-${name}`,
      keys: [KEY],
      ...options,
    },
    {
      port,
      clock: { ...clock, now: () => clock.now() + (options.wallOffsetMs ?? 0) },
      random: createSeededRandom(seed),
      logger: options.logger ?? silentLogger,
      onEvent: (event) => events.push(event),
    },
  );
  await discovery.start();
  const kinds = (): string[] => events.map((event) => event.kind);
  return { discovery, port, events, kinds };
}

function beaconOf(name: string, sequence: number, change: Partial<Beacon> = {}): Uint8Array {
  const startTag = beaconTag(KEY, 'life', `life-${name}`);
  const replicaTag = beaconTag(KEY, 'replica', `replica-${name}`);
  const beacon = {
    deviceKey: name,
    startTag,
    replicaTag,
    tcpPort: 5000,
    relaysAll: true,
    wallMs: 0,
    sequence,
    ...change,
  };
  return encodeBeacon(beacon, KEY);
}

/** Advances the clock and returns when announcements were made meanwhile. */
function watchAnnouncements(clock: ManualClock, discovery: Discovery, forMs: number): number[] {
  const times: number[] = [];
  const startedAt = clock.monotonic();
  let before = discovery.describe().announcements;
  for (let ms = 0; ms <= forMs; ms += 10) {
    const made = discovery.describe().announcements;
    for (; before < made; before++) times.push(clock.monotonic() - startedAt);
    clock.advance(10);
  }
  return times;
}

test('two nodes find each other immediately, with the address that the datagram came from', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  clock.advance(100);
  const b = await startNode(clock, network, 'b', { tcpPort: 5123 });
  clock.advance(1000);
  assert.deepEqual(a.kinds(), ['found']);
  assert.deepEqual(b.kinds(), ['found']);
  assert.deepEqual(a.discovery.peers()[0]!.addresses, [{ host: '10.0.0.b', port: 5123 }]);
  assert.equal(b.discovery.peers()[0]!.deviceKey, 'a');
});

test('clocks that are wrong by years change nothing but the reported offset', async () => {
  const { clock, network } = setUpNetwork();
  const year = 365 * 24 * 3600 * 1000;
  const a = await startNode(clock, network, 'a', { wallOffsetMs: -9 * year });
  const b = await startNode(clock, network, 'b', { wallOffsetMs: 5 * year });
  clock.advance(20_000);
  assert.deepEqual([a.kinds(), b.kinds()], [['found'], ['found']]);
  assert.equal(Math.round(a.discovery.peers()[0]!.clockOffsetMs / year), 14);
});

test('announcements come at 0, 0.5, 1 and 2 s and then every 4 to 6 s', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  const times = [0, ...watchAnnouncements(clock, a.discovery, 60_000)];
  assert.deepEqual(times.slice(0, 4), [0, 500, 1000, 2000]);
  const gaps = times.slice(4).map((at, i) => at - times[i + 3]!);
  assert.ok(gaps.length >= 9);
  for (const gap of gaps) assert.ok(gap >= 4000 && gap <= 6010, `gap of ${gap} ms (seed ${SEED})`);
});

test('hearing a newcomer causes an announcement to all within 1.3 s, and a crowd of newcomers one per second', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  clock.advance(3000);
  network.inject(beaconOf('b', 0), '10.0.0.b');
  const [first] = watchAnnouncements(clock, a.discovery, 1300);
  assert.ok(first !== undefined, `seed ${SEED}`);
  for (let i = 0; i < 100; i++) clock.setTimer(i * 30, () => network.inject(beaconOf(`c${i}`, 0), `10.0.1.${i}`));
  assert.ok(watchAnnouncements(clock, a.discovery, 3000).length <= 4);
});

test('no beacon is ever answered: repeated ones cause no datagram', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  network.inject(beaconOf('b', 0), '10.0.0.b');
  clock.advance(4000);
  const before = a.discovery.describe().announcements;
  for (let i = 0; i < 200; i++) network.inject(beaconOf('b', 0), '10.0.0.b');
  clock.advance(500);
  assert.ok(a.discovery.describe().announcements <= before + 1);
  assert.equal(a.discovery.describe().received.repeated, 200);
});

test('a peer is lost after 15 s of silence, and found again when it is heard again', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  network.inject(beaconOf('b', 0), '10.0.0.b');
  clock.advance(14_900);
  assert.deepEqual(a.kinds(), ['found']);
  clock.advance(1200);
  assert.deepEqual(a.kinds(), ['found', 'lost']);
  assert.deepEqual(a.discovery.peers(), []);
  network.inject(beaconOf('b', 1), '10.0.0.b');
  clock.advance(10);
  assert.deepEqual(a.kinds(), ['found', 'lost', 'found']);
});

test('a restart is noticed immediately, and recorded beacons from before it are ignored', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  const b = await startNode(clock, network, 'b');
  clock.advance(1000);
  await b.discovery.close();
  await startNode(clock, network, 'b', { tcpPort: 5001 });
  clock.advance(1000);
  assert.deepEqual(a.kinds(), ['found', 'restarted']);
  const { addresses } = a.discovery.peers()[0]!;
  for (const recorded of b.port.sent) network.inject(recorded, '10.6.6.6');
  clock.advance(1000);
  assert.deepEqual(a.kinds(), ['found', 'restarted']);
  assert.deepEqual(a.discovery.peers()[0]!.addresses, addresses);
});

test('recorded beacons do not bring back a peer that has gone', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  for (let sequence = 0; sequence < 5; sequence++) network.inject(beaconOf('b', sequence), '10.0.0.b');
  clock.advance(20_000);
  for (let sequence = 0; sequence < 5; sequence++) network.inject(beaconOf('b', sequence), '10.0.0.b');
  clock.advance(1000);
  assert.deepEqual(a.kinds(), ['found', 'lost']);
});

test('each path to a peer is kept as an address, at most eight, nearest first, until it falls silent', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  for (let i = 0; i < 20; i++) network.inject(beaconOf('b', i), `10.0.2.${i}`);
  network.inject(beaconOf('b', 20), '10.0.0.a');
  clock.advance(10);
  const { addresses } = a.discovery.peers()[0]!;
  assert.equal(addresses.length, 8);
  assert.equal(addresses[0]!.host, '10.0.0.a', 'this host comes first');
  for (let i = 0; i < 4; i++) {
    clock.advance(5000);
    network.inject(beaconOf('b', 30 + i), '10.0.2.7');
  }
  clock.advance(10);
  assert.deepEqual(a.discovery.peers()[0]!.addresses, [{ host: '10.0.2.7', port: 5000 }]);
});

test('another node with this replica id is a twin, reported once', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a', { replica: 'one' });
  const b = await startNode(clock, network, 'b', { replica: 'one' });
  clock.advance(30_000);
  for (const node of [a, b]) {
    const twins = node.events.filter((event) => event.kind === 'twin');
    assert.equal(twins.length, 1);
    assert.deepEqual([twins[0]!.sameReplica, twins[0]!.sameDevice], [true, false]);
  }
  a.discovery.setReplica('two');
  clock.advance(2000);
  assert.notEqual(b.discovery.peers()[0]!.replicaTag, beaconTag(KEY, 'replica', 'one'));
});

test('a clone of the whole disk is reported, a replayed old beacon of this device is not', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  const old = { startTag: beaconTag(KEY, 'life', 'before'), wallMs: clock.now() - 1 };
  network.inject(beaconOf('a', 1, old), '10.6.6.6');
  clock.advance(1000);
  assert.deepEqual(a.kinds(), []);
  const clone = { startTag: beaconTag(KEY, 'life', 'clone'), wallMs: clock.now() };
  for (let i = 0; i < 3; i++) network.inject(beaconOf('a', i, clone), '10.0.0.c');
  clock.advance(1000);
  assert.deepEqual(a.events, [
    { kind: 'twin', deviceKey: 'a', sameReplica: true, sameDevice: true, address: { host: '10.0.0.c', port: 5000 } },
  ]);
});

test('nodes of another cluster are strangers, and a node with both keys knows both', async () => {
  const { clock, network } = setUpNetwork();
  const other = deriveBeaconKey(Buffer.alloc(32, 2));
  const a = await startNode(clock, network, 'a');
  const b = await startNode(clock, network, 'b', { keys: [other] });
  const c = await startNode(clock, network, 'c', { keys: [KEY, other] });
  clock.advance(5000);
  const known = [a, b, c].map((node) =>
    node.discovery
      .peers()
      .map((peer) => peer.deviceKey)
      .sort(),
  );
  assert.deepEqual(known, [['c'], [], ['a', 'b']]);
  assert.ok(a.discovery.describe().received.foreign > 0);
  const foreign = a.events.filter((event) => event.kind === 'foreign');
  assert.deepEqual(
    new Set(foreign.map(({ address }) => `${address.host} ${address.port}`)),
    new Set(['10.0.0.b 5000']),
  );
  network.inject(Buffer.alloc(100, 'EB'), '10.0.0.x');
  assert.equal(
    a.events.filter((event) => event.kind === 'foreign').length,
    foreign.length,
    'and rubbish is no cluster',
  );
});

test('the table is bounded however many devices members invent, and the one silent for longest is forgotten first', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a', { limits: { peersMax: 50, beaconChecksPerSourceMax: 5000 } });
  for (let i = 0; i < 1000 * SCALE; i++) {
    network.inject(beaconOf(`d${i}`, 0), '10.0.0.d');
    if (i % 100 === 0) clock.advance(100);
  }
  clock.advance(10);
  const peers = a.discovery.peers();
  assert.equal(peers.length, 50);
  assert.equal(peers.at(-1)!.deviceKey, `d${1000 * SCALE - 1}`);
  assert.equal(a.events.filter((event) => event.kind === 'lost').length, 1000 * SCALE - 50);
});

test('a flood of forged beacons costs a bounded number of checks and log lines, and hides no real peer', async () => {
  const { clock, network } = setUpNetwork();
  const random = createSeededRandom(SEED);
  let warnings = 0;
  const logger = { ...silentLogger, warn: () => warnings++ };
  const a = await startNode(clock, network, 'a', { logger });
  const forged = Uint8Array.from(beaconOf('b', 0));
  forged[forged.length - 1]! ^= 1;
  const seconds = 10 * SCALE;
  for (let ms = 0; ms < seconds * 1000; ms += 10) {
    for (let i = 0; i < 20; i++) network.inject(forged, '10.6.6.6');
    for (let i = 0; i < 80; i++) network.inject(forged, `10.${random.integer(0, 255)}.${random.integer(0, 255)}.1`);
    if (ms === 1000) await startNode(clock, network, 'b');
    clock.advance(10);
  }
  const { received } = a.discovery.describe();
  assert.ok(received.forged <= 5000 * (seconds + 1), `${received.forged} checks (seed ${SEED})`);
  assert.ok(received.forged + received.throttled > 99_000 * SCALE);
  assert.equal(warnings, Math.ceil(seconds / 60));
  assert.deepEqual(a.kinds(), ['found'], `seed ${SEED}`);
});

test('a changed interface is reported and restarts the burst', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  clock.advance(12_000);
  a.port.changeInterfaces();
  const times = watchAnnouncements(clock, a.discovery, 6000);
  assert.deepEqual(a.kinds(), ['interfaces-changed']);
  assert.ok(times.length >= 4, `${times}`);
});

test('twenty nodes that lose every fifth datagram all know each other within 15 s', async () => {
  const { clock, network } = setUpNetwork();
  const random = createSeededRandom(SEED);
  network.isLost = () => random.chance(0.2);
  const nodes = [];
  for (let i = 0; i < 20; i++) nodes.push(await startNode(clock, network, String.fromCharCode(97 + i)));
  clock.advance(15_000);
  for (const node of nodes) assert.equal(node.discovery.peers().length, 19, `seed ${SEED}`);
});

test('after close, discovery is silent and leaves no timer behind', async () => {
  const { clock, network } = setUpNetwork();
  const a = await startNode(clock, network, 'a');
  await a.discovery.close();
  await a.discovery.close();
  clock.advance(5);
  assert.equal(clock.nextTimerAt(), undefined);
  network.inject(beaconOf('b', 0), '10.0.0.b');
  clock.advance(10_000);
  assert.deepEqual(a.kinds(), []);
  assert.ok(decodeBeacon(a.port.sent[0]!, KEY));
  await assert.rejects(a.discovery.start(), TypeError);
});

test('a node that begins to keep only some collections announces it, and others report it as moved', async () => {
  const { clock, network } = setUpNetwork();
  let relaysAll = true;
  const a = await startNode(clock, network, 'a');
  await startNode(clock, network, 'b', { relaysAll: () => relaysAll });
  clock.advance(20_000);
  const told = (): (boolean | undefined)[] =>
    a.events.map((event) => ('peer' in event ? event.peer.relaysAll : undefined));
  assert.deepEqual(told(), [true]);
  relaysAll = false;
  clock.advance(20_000);
  relaysAll = true;
  clock.advance(20_000);
  assert.deepEqual(a.kinds(), ['found', 'moved', 'moved']);
  assert.deepEqual(told(), [true, false, true]);
});
