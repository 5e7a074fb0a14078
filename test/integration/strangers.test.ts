/**
 * Goal: whatever connects to the sync port of a real node without belonging there is closed, and logged once with its
 * address. The node never crashes and keeps no socket, and its members still get in. Method: each kind of stranger comes
 * from a loopback address of its own, which identifies its line in the log. The sockets of the process are counted before
 * and after.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { deriveClusterKey } from '../../src/net/tcp/index.ts';
import { clientOptions } from '../../src/net/tcp/tls-options.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import {
  countSockets,
  eventually,
  HUNG_MS,
  makeFolder,
  NodeProcess,
  pause,
  SCALE,
  writeToken,
} from './node-process.ts';

const CONNECTIONS = 300 * SCALE;
const HTTP_REQUEST = 'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n';
const DRIP_MS = 300;

/** What a stranger does with its connection until the node closes it. */
type Behaviour = (socket: Socket) => unknown;

const seed = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);
const random = createSeededRandom(seed);

const STRANGERS: Readonly<Record<string, Behaviour>> = {
  'plaintext client': (socket) => socket.write('{"hello":"node"}\n'),
  'HTTP request': (socket) => socket.write(HTTP_REQUEST),
  'TLS client with certificates only': (socket) => {
    connectTls({ socket, rejectUnauthorized: false }).on('error', () => {});
  },
  'first bytes of TLS, then garbage': (socket) =>
    socket.write(Buffer.concat([Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]), random.bytes(5000)])),
  'a megabyte of garbage': (socket) => socket.write(random.bytes(1024 * 1024)),
  silence: () => {},
  'a slow drip': (socket) => {
    const drip = setInterval(() => socket.write(Buffer.from([22])), DRIP_MS);
    socket.on('close', () => clearInterval(drip));
  },
  'a slow drip of a real beginning': (socket) => {
    const hello = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, ...random.bytes(500)]);
    let at = 0;
    const drip = setInterval(() => socket.write(hello.subarray(at, ++at)), DRIP_MS);
    socket.on('close', () => clearInterval(drip));
  },
};

test('strangers at the sync port are closed, logged once, and cost the node nothing', {
  timeout: HUNG_MS,
}, async (t) => {
  t.diagnostic(`seed ${seed} (ENTGLDB_TEST_SEED)`);
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const node = await NodeProcess.start(t, { folder: join(folder, 'node'), name: 'node', tokenFile });
  const before = await settledSockets(node);

  await t.test('each kind is closed within its time and logged once with its address', async () => {
    const names = Object.keys(STRANGERS);
    await Promise.all(
      names.flatMap((name, i) => [1, 2, 3].map(() => visit(node, STRANGERS[name]!, `127.0.7.${i + 1}`))),
    );
    await noSocketIsLeft(node, before);
    for (const [i, name] of names.entries()) assert.equal(refusalsOf(node, `127.0.7.${i + 1}`).length, 1, name);
    assert.deepEqual((await node.status()).refusals, [], 'no user is told of what is no node');
  });

  await t.test('a node with another token is refused and logged once, and does no harm by retrying', async () => {
    const other = await writeToken(folder, 'another token of sixteen characters and more');
    const stranger = await NodeProcess.start(t, {
      folder: join(folder, 'stranger'),
      name: 'stranger',
      tokenFile: other,
      peers: [node.address],
    });
    await eventually('it was refused', () => refusalsOf(node, '127.0.0.1').length > 0);
    await eventually('it knows why', async () => {
      const [{ lastError } = { lastError: null }] = await stranger.peers();
      return /token/.test(lastError ?? '');
    });
    await pause(2000);
    assert.equal(refusalsOf(node, '127.0.0.1').length, 1);
    assert.equal((await node.status()).connectedPeers, 0);
    await eventually('and it is said why', async () => {
      const [refusal, ...more] = (await node.status()).refusals;
      return refusal?.host === '127.0.0.1' && refusal.cause === 'other-token' && more.length === 0;
    });
    await stranger.kill();
    await noSocketIsLeft(node, before);
  });

  await t.test('one that holds the token but breaks the protocol is closed too', async () => {
    const key = await deriveClusterKey('a token that only these nodes know, 0123456789');
    const lies = [Buffer.alloc(0), random.bytes(64), Buffer.from([255, 255, 255, 255]), random.bytes(100_000)];
    await Promise.all(
      lies.map((lie, i) =>
        visit(
          node,
          (raw) => {
            const socket = connectTls({ ...clientOptions(key), socket: raw });
            socket.on('error', () => {}).on('close', () => raw.destroy());
            socket.resume().on('secureConnect', () => socket.write(lie));
          },
          `127.0.9.${i + 1}`,
        ),
      ),
    );
    await noSocketIsLeft(node, before);
    for (const i of lies.keys()) assert.equal(refusalsOf(node, `127.0.9.${i + 1}`).length, 1);
  });

  // Comes last: so many addresses use up the log lines allowed per minute.
  await t.test(`${CONNECTIONS} connections at once end, and none is left`, async () => {
    const behaviours = Object.values(STRANGERS);
    const visits = Array.from({ length: CONNECTIONS }, (_, i) =>
      visit(node, behaviours[i % behaviours.length]!, `127.0.8.${(i % 200) + 1}`),
    );
    const member = await NodeProcess.start(t, {
      folder: join(folder, 'member'),
      name: 'member',
      tokenFile,
      peers: [node.address],
    });
    await eventually('a member gets in meanwhile', async () => (await member.status()).connectedPeers === 1);
    await Promise.all(visits);
    await member.stop();
    await noSocketIsLeft(node, before);
  });

  assert.ok(node.isRunning);
  await node.collection('c').put('k', { still: 'here' });
  assert.deepEqual(node.logged('"level":"fatal"'), []);
  assert.equal(await node.stop(), 0);
});

/** Connects from the given address. Resolves when the node has closed the connection, for which it has 15 s. */
async function visit(node: NodeProcess, behave: Behaviour, localAddress: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: node.ready.tcp!.port, localAddress });
  socket.on('error', () => {}).resume();
  const closed = new Promise<boolean>((resolve) => {
    socket.once('close', () => resolve(true));
    setTimeout(() => resolve(false), 15_000).unref();
  });
  await Promise.race([once(socket, 'connect').then(() => behave(socket)), closed]);
  assert.ok(await closed, 'the node closes what does not get in');
}

function refusalsOf(node: NodeProcess, host: string): unknown[] {
  return node.log.filter((line) => line.msg === 'a connection was refused' && line.host === host);
}

/** Closing takes a moment. */
async function noSocketIsLeft(node: NodeProcess, before: number): Promise<void> {
  await eventually('no socket is left', async () => (await settledSockets(node)) === before);
}

/** The number of sockets of the process once it is stable. 0 where sockets cannot be counted. */
async function settledSockets(node: NodeProcess): Promise<number> {
  if (process.platform !== 'linux') return 0;
  let last = -1;
  for (;;) {
    // Asking once more uses the one connection that the test has to the node, and keeps it open.
    await node.status();
    const now = countSockets(node.pid);
    if (now === last) return now;
    last = now;
    await pause(300);
  }
}
