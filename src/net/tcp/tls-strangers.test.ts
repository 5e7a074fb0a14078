/**
 * Goal: no outsider gets in, and nobody, inside or outside, can crash a node, block it or fill its log.
 * Method: strangers of every kind on raw sockets over loopback; after each of them a member must still get in. Deadlines use
 * a manual clock; events of sockets are awaited.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { isEntglDbError } from '../../core/errors/index.ts';
import { createManualClock, createSeededRandom } from '../../testing/index.ts';
import {
  assertWorks,
  CLUSTER,
  closeOf,
  closeOpened,
  HOST,
  LIMITS,
  memberSocket,
  OTHER,
  opened,
  rawSocket,
  refusals,
  settle,
  startNode,
  type TestNode,
  transportOf,
  turn,
  until,
} from './test-node.ts';
import { clientOptions, serverOptions } from './tls-options.ts';

after(closeOpened);

test('a dialler with another token is refused, and the node logs it once', async () => {
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

test('logs and errors contain neither keys nor device secrets', async () => {
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
  test(`${name} is disconnected, and nothing else happens`, async () => {
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

test('random bytes after a valid beginning at worst close the connection', async () => {
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

test('replaying a recorded beginning of a connection gets nobody in', async () => {
  const node = await startNode();
  const socket = rawSocket(node).resume();
  socket.write(await firstBytesOfAMember());
  await hasDeadline(node);
  await settle();
  node.clock.advance(5000);
  await closeOf(socket);
  assert.equal(node.channels.length, 0);
});

test('a client that connects and says nothing is closed at the deadline', async () => {
  const node = await startNode();
  const socket = rawSocket(node).resume();
  const closed = closeOf(socket);
  await hasDeadline(node);
  node.clock.advance(4999);
  await settle();
  assert.equal(socket.readyState, 'open');
  node.clock.advance(1);
  await closed;
  assert.match(refusals(node)[0]!, /no TLS handshake within 5000 ms/);
  await assertWorks(node);
});

test('a handshake that drips in does not extend its deadline', async () => {
  const node = await startNode();
  const hello = await firstBytesOfAMember();
  const socket = rawSocket(node).resume();
  const closed = closeOf(socket);
  await hasDeadline(node);
  for (let i = 0; i < 50; i++) {
    socket.write(hello.subarray(i, i + 1));
    await turn();
    node.clock.advance(100);
  }
  await closed;
});

test('a member that does not prove its device key is closed after 5 s, even if bytes drip in', async () => {
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

test('a false proof, or another frame or an announcement of 16 MiB instead of a proof, closes the connection', async () => {
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

/** Connects every client to the node through its own TLS on both sides. It holds the token, like a malicious member. */
async function startManInTheMiddle(node: TestNode): Promise<number> {
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
  return (tls.address() as { port: number }).port;
}

test('a member in the middle cannot impersonate either end', async () => {
  const node = await startNode();
  const port = await startManInTheMiddle(node);
  await assert.rejects(transportOf().dial({ host: HOST, port }), (error) => isEntglDbError(error, 'HANDSHAKE_FAILED'));
  await until(() => node.transport.counts.refused === 1);
  assert.match(refusals(node)[0]!, /did not prove|left before/);
  assert.equal(node.channels.length, 0);
});

test('a client without ALPN, or with TLS 1.2, or with a certificate suite only, does not get in', async () => {
  const { ALPNProtocols: _, ...withoutAlpn } = clientOptions(CLUSTER);
  const variants = [
    withoutAlpn,
    {
      ...clientOptions(CLUSTER),
      secureContext: undefined,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: 'PSK',
    } as const,
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

test('a dial to a server that is no node, or is silent, fails with HANDSHAKE_FAILED or TIMED_OUT', async () => {
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

test('connections beyond the rate of one address are dropped before TLS, and then a member gets in', async () => {
  const node = await startNode({ limits: { ...LIMITS, acceptsPerSecondLoopbackMax: 10 } });
  const sockets = Array.from({ length: 60 }, () => rawSocket(node).resume());
  await Promise.all(sockets.slice(10).map((socket) => closeOf(socket)));
  assert.equal(node.transport.counts.refused, 50);
  assert.equal(refusals(node).length, 1);
  node.clock.advance(1000);
  await assertWorks(node);
  for (const socket of sockets) socket.destroy();
});

test('silent connections that hold all places make room for a member', async () => {
  const node = await startNode({ limits: { ...LIMITS, handshakesPendingMax: 8 } });
  const sockets = Array.from({ length: 8 }, () => rawSocket(node).resume());
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await settle();
  await assertWorks(node);
  assert.equal(sockets.filter((socket) => socket.destroyed).length, 1);
  for (const socket of sockets) socket.destroy();
});

/** Waits until the node has accepted a connection, which must then get in within 5 s. */
function hasDeadline({ clock }: TestNode): Promise<void> {
  return until(() => clock.nextTimerAt() === 5000);
}

/** The first bytes of a member, recorded by a listener that never answers. */
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
