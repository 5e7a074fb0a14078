/**
 * Goal: the TLS transport keeps the contract of the port, lets in members only, and nobody outside can crash it, hold it up
 * or fill a log.
 * Method: the conformance suite on real sockets over loopback; then strangers of every kind on raw sockets. Deadlines are
 * those of a clock that is turned by hand; events of sockets are awaited.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import {
  createChaosTransport,
  createManualClock,
  createSeededRandom,
  type ManualClock,
  runTransportConformance,
} from '../../testing/index.ts';
import type { Channel, Listener } from '../index.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, makeProof } from './device-proof.ts';
import { frameHeader } from './framing.ts';
import {
  type ClusterKey,
  createDeviceKey,
  createTlsTransport,
  loopbackKey,
  type TlsTransport,
  type TlsTransportOptions,
} from './index.ts';
import { clientOptions, serverOptions } from './tls-options.ts';

const HOST = '127.0.0.1';
const LIMITS = { frameBytesMax: 300_000, channelBufferBytesMax: 1_000_000, channelHighWaterBytes: 200_000 };

/** A key as `deriveClusterKey` makes one, without its 70 ms. */
function keyNamed(name: string): ClusterKey {
  const random = createSeededRandom([...name].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7));
  return {
    id: Buffer.from(random.bytes(8)).toString('hex'),
    psk: random.bytes(32),
    beacon: random.bytes(32),
    loopbackOnly: false,
  };
}

const CLUSTER = keyNamed('cluster');
const OTHER = keyNamed('other');
const deviceA = createDeviceKey(createSeededRandom(1));
const deviceB = createDeviceKey(createSeededRandom(2));

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets sockets work until the condition holds. The bound is generous: it only keeps a failure from hanging. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not come to pass within 20 s');
    await turn();
  }
}

/** Unlike `once`, does not mind the error that comes before. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

interface Line {
  readonly level: string;
  readonly fields: Record<string, unknown>;
}

function recordingLogger(lines: Line[]): Logger {
  const at = (level: string) => (fields: object) =>
    void lines.push({ level, fields: fields as Record<string, unknown> });
  const logger: Logger = {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: () => logger,
  };
  return logger;
}

/** A listening node B with all that it has heard. */
interface Node {
  readonly transport: TlsTransport;
  readonly listener: Listener;
  readonly clock: ManualClock;
  readonly channels: Channel[];
  readonly closings: string[];
  readonly frames: Uint8Array[];
  readonly lines: Line[];
}

const opened: { close(): unknown }[] = [];
after(async () => {
  for (const thing of opened) await thing.close();
});

function transportOf(options: Partial<TlsTransportOptions> = {}): TlsTransport {
  const transport = createTlsTransport({
    keys: [CLUSTER],
    deviceKey: deviceA,
    clock: createManualClock(),
    limits: LIMITS,
    ...options,
  });
  opened.push(transport);
  return transport;
}

async function startNode(options: Partial<TlsTransportOptions> = {}): Promise<Node> {
  const clock = createManualClock();
  const lines: Line[] = [];
  const transport = transportOf({ deviceKey: deviceB, clock, logger: recordingLogger(lines), ...options });
  const node = {
    transport,
    clock,
    lines,
    channels: [] as Channel[],
    closings: [] as string[],
    frames: [] as Uint8Array[],
  };
  const listener = await transport.listen({
    host: HOST,
    port: 0,
    onChannel: (channel) => {
      node.channels.push(channel);
      channel.onFrame = (frame) => node.frames.push(frame);
      channel.onClose = (reason) => node.closings.push(reason);
    },
  });
  return { ...node, listener };
}

/** A member still gets in: nothing that a stranger did has left the node worse off. */
async function assertWorks(node: Node): Promise<void> {
  const before = node.channels.length;
  const channel = await transportOf().dial(node.listener.address);
  channel.send(Uint8Array.of(42));
  await until(() => node.frames.at(-1)?.[0] === 42);
  assert.equal(node.channels.length, before + 1);
  channel.close();
}

function rawSocket(node: Node): Socket {
  const socket = connect({ host: HOST, port: node.listener.address.port });
  socket.on('error', () => {});
  return socket;
}

function refusals(node: Node): string[] {
  return node.lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields.why));
}

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

test('a dialler with another token is refused, and the node says so once', async () => {
  const node = await startNode();
  for (let i = 0; i < 3; i++) {
    await assert.rejects(transportOf({ keys: [OTHER] }).dial(node.listener.address), (error) =>
      isEntglDbError(error, 'HANDSHAKE_FAILED'),
    );
  }
  const forged = { ...OTHER, id: CLUSTER.id };
  await assert.rejects(transportOf({ keys: [forged] }).dial(node.listener.address), (error) =>
    isEntglDbError(error, 'HANDSHAKE_FAILED'),
  );
  await until(() => node.transport.counts.refused === 4);
  assert.deepEqual(refusals(node), ['the client does not hold the cluster token']);
  assert.equal(node.channels.length, 0);
  await assertWorks(node);
});

test('neither keys nor device secrets show in logs or errors', async () => {
  const node = await startNode();
  const error = await transportOf({ keys: [OTHER] })
    .dial(node.listener.address)
    .catch((e) => e);
  await until(() => node.lines.length > 0);
  const text = JSON.stringify([node.lines, error.message, error.details]);
  for (const secret of [CLUSTER.psk, OTHER.psk]) {
    assert.ok(
      !text.includes(Buffer.from(secret).toString('hex')) && !text.includes(Buffer.from(secret).toString('base64')),
    );
  }
});

const STRANGERS: Record<string, Uint8Array> = {
  'an HTTP client': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'a plaintext client': Buffer.from([0, 0, 0, 5, 1, 2, 3, 4, 5]),
  'an SSH client': Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
  garbage: createSeededRandom(5).bytes(5000),
  zeros: Buffer.alloc(20_000),
  'a broken ClientHello': Buffer.concat([
    Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]),
    createSeededRandom(6).bytes(194),
  ]),
};

for (const [name, bytes] of Object.entries(STRANGERS)) {
  test(`${name} is cut off, and nothing else happens`, async () => {
    const node = await startNode();
    const socket = rawSocket(node).resume();
    socket.write(bytes);
    await closeOf(socket);
    assert.equal(node.channels.length, 0);
    await until(() => node.transport.counts.refused === 1);
    assert.equal(refusals(node).length, 1);
    await assertWorks(node);
  });
}

test('random bytes after a valid beginning never do more than close', async () => {
  const node = await startNode();
  const hello = await firstBytesOfAMember();
  const random = createSeededRandom(11);
  for (let i = 0; i < 60; i++) {
    const bytes = Buffer.from(hello);
    for (let flips = random.integer(1, 5); flips > 0; flips--)
      bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    const socket = rawSocket(node).resume();
    socket.end(bytes.subarray(0, random.integer(1, bytes.length)));
    await closeOf(socket);
  }
  assert.equal(node.channels.length, 0);
  await assertWorks(node);
});

/** What a member sends first, recorded by a listener that never answers. */
async function firstBytesOfAMember(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const port = (server.address() as { port: number }).port;
  const dialling = transportOf()
    .dial({ host: HOST, port })
    .catch(() => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  server.close();
  await dialling;
  return bytes;
}

test('a recorded beginning that is played again gets nobody in', async () => {
  const node = await startNode();
  const socket = rawSocket(node).resume();
  socket.write(await firstBytesOfAMember());
  await settle();
  node.clock.advance(5000);
  await closeOf(socket);
  assert.equal(node.channels.length, 0);
});

test('a client that connects and says nothing is closed at the deadline', async () => {
  const node = await startNode();
  const socket = rawSocket(node).resume();
  const closed = closeOf(socket);
  await once(socket, 'connect');
  await settle();
  node.clock.advance(4999);
  await settle();
  assert.equal(socket.readyState, 'open');
  node.clock.advance(1);
  await closed;
  assert.match(refusals(node)[0]!, /no TLS handshake within 5000 ms/);
  await assertWorks(node);
});

test('a handshake that drips in does not put off its deadline', async () => {
  const node = await startNode();
  const hello = await firstBytesOfAMember();
  const socket = rawSocket(node).resume();
  const closed = closeOf(socket);
  await once(socket, 'connect');
  for (let i = 0; i < 50; i++) {
    socket.write(hello.subarray(i, i + 1));
    await turn();
    node.clock.advance(100);
  }
  await closed;
});

/** A member's TLS without its proof: someone who holds the token and does not keep to the protocol. */
async function memberSocket(node: Node, raw = rawSocket(node)): Promise<TLSSocket> {
  const socket = connectTls({ ...clientOptions(CLUSTER), socket: raw });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

test('a member that does not prove its device key is closed after 5 s, however it drips', async () => {
  const node = await startNode();
  const socket = await memberSocket(node);
  const closed = closeOf(socket);
  socket.resume();
  await settle();
  for (let i = 0; i < 50; i++) {
    if (i < 4) socket.write(Uint8Array.of([0, 0, 0, 97][i]!));
    await turn();
    node.clock.advance(100);
  }
  await closed;
  assert.match(refusals(node)[0]!, /did not prove its device key within 5000 ms/);
  assert.equal(node.channels.length, 0);
});

test('a false proof, another frame or an announced 16 MiB instead of a proof close the connection', async () => {
  const beginnings = [
    Buffer.concat([Buffer.from([0, 0, 0, 97, 1]), Buffer.alloc(96, 7)]),
    Buffer.from([0, 0, 0, 3, 1, 2, 3]),
    Buffer.from([1, 0, 0, 0]),
    Buffer.from([0, 0, 0, 0]),
  ];
  for (const bytes of beginnings) {
    const node = await startNode();
    const socket = await memberSocket(node);
    socket.resume();
    const closed = closeOf(socket);
    socket.write(bytes);
    await closed;
    assert.equal(node.channels.length, 0);
    assert.equal(refusals(node).length, 1);
  }
});

/** Connects every client to the node through TLS of its own on both sides: it holds the token, like a member gone bad. */
async function startManInTheMiddle(node: Node): Promise<{ server: Server; port: number }> {
  const tls = createTlsServer(serverOptions(() => CLUSTER));
  tls.on('tlsClientError', (_error, socket) => socket.destroy());
  tls.on('secureConnection', (inbound) => {
    const outbound = connectTls({ ...clientOptions(CLUSTER), host: HOST, port: node.listener.address.port });
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  tls.listen(0, HOST);
  await once(tls, 'listening');
  opened.push({ close: () => tls.close() });
  return { server: tls, port: (tls.address() as { port: number }).port };
}

test('a member that sits in the middle cannot pass for either end', async () => {
  const node = await startNode();
  const { port } = await startManInTheMiddle(node);
  await assert.rejects(transportOf().dial({ host: HOST, port }), (error) => isEntglDbError(error, 'HANDSHAKE_FAILED'));
  await until(() => node.transport.counts.refused === 1);
  assert.match(refusals(node)[0]!, /did not prove|left before/);
  assert.equal(node.channels.length, 0);
});

test('a client without ALPN, or with TLS 1.2, or with a certificate suite only, does not get in', async () => {
  const { ALPNProtocols: _, ...withoutAlpn } = clientOptions(CLUSTER);
  const variants = [
    withoutAlpn,
    { ...clientOptions(CLUSTER), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'PSK' } as const,
    { minVersion: 'TLSv1.3', rejectUnauthorized: false } as const,
  ];
  for (const options of variants) {
    const node = await startNode();
    const socket = connectTls({ ...options, host: HOST, port: node.listener.address.port });
    socket.on('error', () => {});
    socket.resume();
    await closeOf(socket);
    assert.equal(node.channels.length, 0);
    await until(() => node.transport.counts.refused === 1);
  }
});

test('a server that is no node, or says nothing, ends a dial as HANDSHAKE_FAILED or TIMED_OUT', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {}).resume();
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  opened.push({ close: () => server.close() });
  const address = { host: HOST, port: (server.address() as { port: number }).port };
  const clock = createManualClock();
  const talking = transportOf({ clock }).dial(address);
  await until(() => sockets.length === 1);
  sockets[0]!.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  await assert.rejects(talking, (error) => isEntglDbError(error, 'HANDSHAKE_FAILED'));
  const silent = transportOf({ clock }).dial(address);
  const timedOut = assert.rejects(silent, (error) => isEntglDbError(error, 'TIMED_OUT'));
  await until(() => sockets.length === 2);
  clock.advance(5000);
  await timedOut;
  await closeOf(sockets[1]!);
});

test('the tokens of a change overlap: old and new meet in either direction, then the old one is locked out at once', async () => {
  const both = await startNode({ keys: [OTHER, CLUSTER] });
  const old = await startNode();
  await assertWorks(both);
  const toOld = await both.transport.dial(old.listener.address).catch((error) => error);
  assert.ok(
    isEntglDbError(toOld, 'SELF_CONNECTION'),
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

test('a session that TLS could resume does not outlive its token', async () => {
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

test('an address that is not of this machine cannot be listened on', async () => {
  const listening = transportOf().listen({ host: '192.0.2.1', port: 0, onChannel: () => {} });
  await assert.rejects(listening, (error) => isEntglDbError(error, 'LISTEN_FAILED'));
});

test('more connections per second than one address may make are dropped before TLS, then a member gets in', async () => {
  const node = await startNode({ limits: { ...LIMITS, acceptsPerSecondLoopbackMax: 10 } });
  const sockets = Array.from({ length: 60 }, () => rawSocket(node).resume());
  await Promise.all(sockets.slice(10).map((socket) => closeOf(socket)));
  assert.equal(node.transport.counts.refused, 50);
  assert.equal(refusals(node).length, 1);
  node.clock.advance(1000);
  await assertWorks(node);
  for (const socket of sockets) socket.destroy();
});

test('silent connections that take all places make room for a member', async () => {
  const node = await startNode({ limits: { ...LIMITS, handshakesPendingMax: 8 } });
  const sockets = Array.from({ length: 8 }, () => rawSocket(node).resume());
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await settle();
  await assertWorks(node);
  assert.equal(sockets.filter((socket) => socket.destroyed).length, 1);
  for (const socket of sockets) socket.destroy();
});

test('a frame that drips in is closed after its window, one at the minimum rate is not', async () => {
  const node = await startNode();
  const { socket, channel } = await connectTlsMember(node);
  const window = 30_000;
  const announced = Buffer.alloc(4);
  announced.writeUInt32BE(LIMITS.frameBytesMax);
  socket.write(announced);
  for (let i = 0; i < 3; i++) {
    socket.write(Buffer.alloc(2048 * 30 + 100));
    await until(() => socket.writableLength === 0);
    await settle();
    node.clock.advance(window);
    assert.deepEqual(node.closings, [], `window ${i}`);
  }
  socket.write(Buffer.alloc(100));
  await settle();
  node.clock.advance(window);
  await until(() => node.closings.length === 1);
  assert.deepEqual(node.closings, ['slow']);
  assert.equal(channel.bytesReceived, 0);
});

/** A member that has proven itself and then writes what it likes. */
async function connectTlsMember(node: Node, raw = rawSocket(node)): Promise<{ socket: TLSSocket; channel: Channel }> {
  const before = node.channels.length;
  const socket = await memberSocket(node, raw);
  const proof = makeProof(
    deviceA,
    'dialler',
    socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)),
  );
  socket.write(Buffer.concat([frameHeader(proof.length), proof]));
  await until(() => node.channels.length > before);
  return { socket, channel: node.channels.at(-1)! };
}

test('a peer that stops reading is closed as slow after a window, and its memory is given back', async () => {
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

test('a channel that is cut without a word is told so', async () => {
  const node = await startNode();
  const raw = rawSocket(node);
  await connectTlsMember(node, raw);
  raw.resetAndDestroy();
  await until(() => node.closings.length === 1);
  assert.match(node.closings[0]!, /^(ended|failed: ECONNRESET)$/);
  assert.equal(node.transport.counts.channels, 0);
});

test('a transport that closes drops listeners, channels and what is on its way in', async () => {
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
  await assert.rejects(transportOf().dial(node.listener.address), (error) => isEntglDbError(error, 'CONNECT_FAILED'));
});

test('the bytes of all channels are counted, of those that have gone too', async () => {
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
