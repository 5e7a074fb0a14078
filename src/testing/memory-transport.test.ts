/**
 * Goal: the memory transport is a faithful reference of the port; the chaos wrapper changes nothing without faults, does what it
 * promises with them, and repeats its behaviour from the same seed.
 * Method: the conformance suite on each; then scripted faults on a manual clock.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Channel, Transport } from '../net/index.ts';
import {
  type ChaosFaults,
  type ChaosTransport,
  createChaosTransport,
  createManualClock,
  createMemoryNetwork,
  createSeededRandom,
  type ManualClock,
  runTransportConformance,
  type TransportPair,
} from './index.ts';

const LIMITS = { frameBytesMax: 100_000, channelBufferBytesMax: 400_000, channelHighWaterBytes: 100_000 };

/** Lets promises settle without any time passing. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function until(clock: ManualClock, condition: () => boolean): Promise<void> {
  for (let steps = 0; !condition(); steps++) {
    assert.ok(steps < 1000, 'it did not come to pass within 1,000 ms');
    await turn();
    clock.advance(1);
  }
}

function pairOn(clock: ManualClock, a: Transport, b: Transport): TransportPair {
  return {
    a,
    b,
    aKey: 'key a',
    bKey: 'key b',
    bHost: 'b.test',
    ...LIMITS,
    until: (condition) => until(clock, condition),
    settle: async () => {
      await turn();
      clock.advance(100);
      await turn();
    },
    close: async () => {},
  };
}

function transports(latencyMs: number) {
  const clock = createManualClock();
  const network = createMemoryNetwork({ clock, latencyMs, limits: LIMITS });
  const a = network.createTransport({ deviceKey: 'key a', host: 'a.test' });
  const b = network.createTransport({ deviceKey: 'key b', host: 'b.test' });
  return { clock, network, a, b };
}

for (const latencyMs of [0, 5]) {
  describe(`memory transport, ${latencyMs} ms`, () => {
    runTransportConformance({
      test,
      factory: async () => {
        const { clock, a, b } = transports(latencyMs);
        return pairOn(clock, a, b);
      },
    });
  });
}

describe('chaos transport without faults', () => {
  runTransportConformance({
    test,
    factory: async () => {
      const { clock, a, b } = transports(1);
      const random = createSeededRandom(1);
      const wrap = (inner: Transport) => createChaosTransport({ inner, clock, random });
      return pairOn(clock, wrap(a), wrap(b));
    },
  });
});

interface Scene {
  readonly clock: ManualClock;
  readonly chaos: ChaosTransport;
  readonly sender: Channel;
  readonly received: { readonly atMs: number; readonly value: number }[];
  readonly closings: string[];
}

async function sceneWith(faults: Partial<ChaosFaults>, seed: number): Promise<Scene> {
  const { clock, a, b } = transports(1);
  const received: { atMs: number; value: number }[] = [];
  const closings: string[] = [];
  const chaos = createChaosTransport({ inner: a, clock, random: createSeededRandom(seed) });
  const listener = await b.listen({
    host: 'b.test',
    port: 0,
    onChannel: (channel) => {
      channel.onFrame = (frame) => received.push({ atMs: clock.monotonic(), value: frame[0]! });
      channel.onClose = (reason) => closings.push(reason);
    },
  });
  const dialling = chaos.dial(listener.address);
  clock.advance(1);
  const sender = await dialling;
  chaos.setFaults(faults);
  return { clock, chaos, sender, received, closings };
}

async function sendTwenty(seed: number): Promise<Scene> {
  const scene = await sceneWith({ frameDelayMsMax: 50, stallChance: 0.2, stallMsMax: 200 }, seed);
  for (let i = 0; i < 20; i++) scene.sender.send(Uint8Array.of(i));
  await until(scene.clock, () => scene.received.length === 20);
  return scene;
}

test('delays and stalls change when frames arrive, never their order, and are determined by the seed', async () => {
  const { received } = await sendTwenty(7);
  assert.deepEqual(
    received.map(({ value }) => value),
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.ok(received.at(-1)!.atMs - received[0]!.atMs > 10);
  assert.deepEqual((await sendTwenty(7)).received, received);
  assert.notDeepEqual((await sendTwenty(8)).received, received);
});

test('a cut ends the channel at both ends, and frames on their way are lost', async () => {
  const { clock, chaos, sender, received, closings } = await sceneWith({ frameDelayMsMax: 50 }, 3);
  const reasons: string[] = [];
  sender.onClose = (reason) => reasons.push(reason);
  for (let i = 0; i < 10; i++) sender.send(Uint8Array.of(i));
  chaos.cutAll();
  await until(clock, () => closings.length === 1 && reasons.length === 1);
  clock.advance(1000);
  assert.deepEqual(reasons, ['cut']);
  assert.ok(received.length < 10);
  assert.equal(sender.send(Uint8Array.of(1)), false);
});

test('frames cut channels with the given probability', async () => {
  let cuts = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { sender } = await sceneWith({ cutChance: 0.25 }, seed);
    if (!sender.send(Uint8Array.of(1))) cuts++;
  }
  assert.ok(cuts > 25 && cuts < 75, `${cuts} of 200`);
});

test('a stall of one direction holds its frames back and does not affect the other direction', async () => {
  const { clock, chaos, sender, received } = await sceneWith({}, 1);
  chaos.setStalled('out', true);
  sender.send(Uint8Array.of(1));
  clock.advance(60_000);
  assert.equal(received.length, 0);
  chaos.setStalled('out', false);
  await until(clock, () => received.length === 1);
});

test('dials fail and are delayed according to the faults', async () => {
  const { clock, a, b } = transports(1);
  const chaos = createChaosTransport({
    inner: a,
    clock,
    random: createSeededRandom(1),
    faults: { dialFailChance: 1, dialDelayMsMax: 100 },
  });
  const listener = await b.listen({ host: 'b.test', port: 0, onChannel: () => {} });
  const outcome = chaos.dial(listener.address).then(
    () => 'connected',
    (error) => error.reason,
  );
  clock.advance(100);
  assert.equal(await outcome, 'CONNECT_FAILED');
});

test('a one-way partition holds frames back until it ends, and dials time out meanwhile', async () => {
  const { clock, network, a, b } = transports(1);
  const received: number[] = [];
  const listener = await b.listen({
    host: 'b.test',
    port: 0,
    onChannel: (channel) => {
      channel.onFrame = (frame) => received.push(frame[0]!);
    },
  });
  const dialling = a.dial(listener.address);
  clock.advance(1);
  const channel = await dialling;
  network.setReachable('a.test', 'b.test', false);
  for (const value of [1, 2, 3]) channel.send(Uint8Array.of(value));
  clock.advance(1000);
  assert.deepEqual(received, []);
  const outcome = a.dial(listener.address).catch((error) => error.reason);
  clock.advance(10_000);
  assert.equal(await outcome, 'TIMED_OUT');
  network.setReachable('a.test', 'b.test', true);
  assert.deepEqual(received, [1, 2, 3]);
});
