/**
 * Goal: the TLS transport keeps the contract of the port, follows a change of the cluster token, and lets no peer stall it
 * for ever.
 * Method: the conformance suite on real sockets over loopback; then changes of keys, and peers that drip or stop reading.
 * Deadlines use a manual clock; events of sockets are awaited.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { isEntglDbError } from '../../core/errors/index.ts';
import {
  createChaosTransport,
  createManualClock,
  createSeededRandom,
  runTransportConformance,
} from '../../testing/index.ts';
import { loopbackKey, type TlsTransport } from './index.ts';
import {
  assertWorks,
  CLUSTER,
  closeOf,
  closeOpened,
  connectTlsMember,
  deviceA,
  deviceB,
  HOST,
  LIMITS,
  memberSocket,
  OTHER,
  rawSocket,
  settle,
  startNode,
  transportOf,
  until,
} from './test-node.ts';
import { clientOptions } from './tls-options.ts';

after(closeOpened);

for (const wrapped of [false, true]) {
  describe(wrapped ? 'TLS transport in the chaos wrapper without faults' : 'TLS transport', () => {
    runTransportConformance({
      test,
      factory: async () => {
        const clock = createManualClock();
        const inner = [deviceA, deviceB].map((deviceKey) => transportOf({ deviceKey, clock }));
        const wrap = (transport: TlsTransport) =>
          wrapped ? createChaosTransport({ inner: transport, clock, random: createSeededRandom(1) }) : transport;
        return {
          a: wrap(inner[0]!),
          b: wrap(inner[1]!),
          aKey: deviceA.publicKey,
          bKey: deviceB.publicKey,
          bHost: HOST,
          ...LIMITS,
          until,
          settle,
          close: async () => {
            for (const transport of inner) await transport.close();
            clock.advance(1000);
          },
        };
      },
    });
  });
}

test('tokens overlap during a change: old and new connect in either direction, then the old one is locked out immediately', async () => {
  const both = await startNode({ keys: [OTHER, CLUSTER] });
  const old = await startNode();
  await assertWorks(both);
  const toOld = await both.transport.dial(old.listener.address).catch((error) => error);
  assert.ok(
    isEntglDbError(toOld, 'IDENTITY_FORKED'),
    'the same device key: the handshake went through with the old token',
  );
  const member = transportOf();
  const live = await member.dial(both.listener.address);
  const closed = new Promise<string>((resolve) => {
    live.onClose = resolve;
  });
  both.transport.rotateKeys([OTHER]);
  assert.equal(await closed, 'ended');
  assert.equal(both.closings.at(-1), 'key removed');
  await assert.rejects(member.dial(both.listener.address), (error) => isEntglDbError(error, 'HANDSHAKE_FAILED'));
  await transportOf({ keys: [OTHER] }).dial(both.listener.address);
});

test('both ends distinguish a node that dials itself from one that meets a copy of itself', async () => {
  const twins: string[] = [];
  const node = await startNode({ deviceKey: deviceA, onTwin: () => twins.push('accepted') });
  const copy = transportOf({ deviceKey: deviceA, onTwin: () => twins.push('dialled') });
  for (let i = 0; i < 20; i++) {
    await assert.rejects(node.transport.dial(node.listener.address), (error) =>
      isEntglDbError(error, 'SELF_CONNECTION'),
    );
  }
  assert.deepEqual(twins, []);
  await assert.rejects(copy.dial(node.listener.address), (error) => isEntglDbError(error, 'IDENTITY_FORKED'));
  await until(() => twins.length === 2);
  assert.deepEqual(twins.sort(), ['accepted', 'dialled']);
  assert.deepEqual(node.channels, []);
});

test('a removed token does not live on in a resumable TLS session', async () => {
  const node = await startNode();
  const member = await memberSocket(node);
  member.resume();
  const [session] = (await once(member, 'session')) as [Buffer];
  member.destroy();
  node.transport.rotateKeys([OTHER]);
  for (const psk of [clientOptions(CLUSTER).pskCallback, undefined]) {
    const { pskCallback: _, ...options } = clientOptions(CLUSTER);
    const again = connectTls({
      ...options,
      ...(psk && { pskCallback: psk }),
      session,
      host: HOST,
      port: node.listener.address.port,
    });
    again.on('error', () => {}).resume();
    let isSecured = false;
    again.once('secureConnect', () => {
      isSecured = true;
    });
    await closeOf(again);
    assert.equal(isSecured, false);
  }
});

test('without a token only loopback addresses are allowed', async () => {
  const transport = transportOf({ keys: [loopbackKey()] });
  const listenOn = (host: string) => transport.listen({ host, port: 0, onChannel: () => {} });
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'node.example', '']) {
    await assert.rejects(listenOn(host), (error) => isEntglDbError(error, 'OPTION_INVALID'));
    await assert.rejects(transport.dial({ host, port: 1 }), (error) => isEntglDbError(error, 'OPTION_INVALID'));
  }
  const node = await startNode({ keys: [loopbackKey()] });
  const channel = await transport.dial(node.listener.address);
  assert.equal(channel.peerKey, deviceB.publicKey);
});

test('listening on an address of another machine fails', async () => {
  const listening = transportOf().listen({ host: '192.0.2.1', port: 0, onChannel: () => {} });
  await assert.rejects(listening, (error) => isEntglDbError(error, 'LISTEN_FAILED'));
});

test('a channel whose frame drips in is closed after a window, one at the minimum rate is not', async () => {
  const node = await startNode();
  const { socket, channel } = await connectTlsMember(node);
  const window = 30_000;
  const announced = Buffer.alloc(4);
  announced.writeUInt32BE(LIMITS.frameBytesMax);
  let sent = 0;
  const send = async (bytes: Uint8Array): Promise<void> => {
    socket.write(bytes);
    sent += bytes.length;
    // Parts of a frame count as signs of life.
    await until(() => channel.bytesReceived === sent);
  };
  await send(announced);
  for (let i = 0; i < 3; i++) {
    await send(Buffer.alloc(2048 * 30 + 100));
    node.clock.advance(window);
    assert.deepEqual(node.closings, [], `window ${i}`);
  }
  await send(Buffer.alloc(100));
  node.clock.advance(window);
  await until(() => node.closings.length === 1);
  assert.deepEqual(node.closings, ['slow']);
});

test('a channel whose peer stops reading is closed as slow after a window, and its memory is released', async () => {
  const node = await startNode({ limits: { ...LIMITS, channelBufferBytesMax: 64 << 20 } });
  const { socket, channel } = await connectTlsMember(node);
  socket.pause();
  const frame = new Uint8Array(LIMITS.frameBytesMax);
  for (let i = 0; i < 100; i++) channel.send(frame);
  await settle();
  node.clock.advance(30_000);
  await settle();
  node.clock.advance(30_000);
  await until(() => node.closings.length === 1);
  assert.deepEqual(node.closings, ['slow']);
  socket.destroy();
});

test('a channel whose connection is cut abruptly reports its end', async () => {
  const node = await startNode();
  const raw = rawSocket(node);
  await connectTlsMember(node, raw);
  raw.resetAndDestroy();
  await until(() => node.closings.length === 1);
  assert.match(node.closings[0]!, /^(ended|failed: ECONNRESET)$/);
  assert.equal(node.transport.counts.channels, 0);
});

test('closing a transport drops listeners, channels and connections that are still arriving', async () => {
  const node = await startNode();
  const channel = await transportOf().dial(node.listener.address);
  const closed = new Promise<string>((resolve) => {
    channel.onClose = resolve;
  });
  const silent = rawSocket(node).resume();
  const silentClosed = closeOf(silent);
  await once(silent, 'connect');
  await settle();
  await node.transport.close();
  assert.equal(await closed, 'ended');
  await silentClosed;
  await assert.rejects(transportOf().dial(node.listener.address), {
    reason: 'CONNECT_FAILED',
    message: /^cannot connect to \S+ \(nothing listens on that port: ECONNREFUSED\)$/,
  });
});

test('the bytes of all channels are counted, including closed ones', async () => {
  const node = await startNode();
  for (let i = 0; i < 2; i++) {
    const channel = await transportOf().dial(node.listener.address);
    channel.send(new Uint8Array(1000));
    await until(() => node.frames.length === i + 1);
    if (i === 0) channel.close();
  }
  await until(() => node.closings.length === 1);
  const { channels, accepted, bytesReceived } = node.transport.counts;
  assert.deepEqual({ channels, accepted, bytesReceived }, { channels: 1, accepted: 2, bytesReceived: 2008 });
});
