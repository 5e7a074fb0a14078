/**
 * Goal: nodes on one host find each other over real sockets, several on one port, without leaving the loopback interface.
 * Method: real UDP sockets on a free port of 127.0.0.1 and the system clock; tests wait for events, never for time.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { isEntglDbError } from '../../core/errors/index.ts';
import { systemClock } from '../../node/system-clock.ts';
import { systemRandom } from '../../node/system-random.ts';
import { deriveBeaconKey } from './beacon-key.ts';
import type { Datagram } from './datagram-port.ts';
import { Discovery } from './discovery.ts';
import { createUdpPort } from './udp.ts';

const KEY = deriveBeaconKey(Buffer.alloc(32, 3));

/** Starts a node; `found` resolves when it knows `count` others. */
async function startNode(t: TestContext, name: string, udpPort: number, count: number) {
  const all = Promise.withResolvers<void>();
  const discovery = new Discovery(
    { udpPort, tcpPort: 5000, deviceKey: name, replica: name, keys: [KEY] },
    {
      port: createUdpPort({ localhostOnly: true }),
      clock: systemClock,
      random: systemRandom,
      onEvent: () => {
        if (discovery.peers().length === count) all.resolve();
      },
    },
  );
  t.after(() => discovery.close());
  return { discovery, udpPort: await discovery.start(), found: all.promise };
}

test('several nodes on one host and one port find each other', { timeout: 30_000 }, async (t) => {
  const startedAt = systemClock.monotonic();
  const first = await startNode(t, 'node-0', 0, 4);
  const others = await Promise.all([1, 2, 3, 4].map((i) => startNode(t, `node-${i}`, first.udpPort, 4)));
  const nodes = [first, ...others];
  await Promise.all(nodes.map((node) => node.found));
  const ms = systemClock.monotonic() - startedAt;
  t.diagnostic(`found after ${Math.round(ms)} ms`);
  assert.ok(ms < 15_000, 'the goal is 3 s; a busy machine gets five times that');
  for (const { discovery } of nodes) {
    for (const peer of discovery.peers()) assert.deepEqual(peer.addresses, [{ host: '127.0.0.1', port: 5000 }]);
    assert.ok(discovery.describe().interfaces.some((one) => one.target === '127.255.255.255' && one.state === 'ok'));
  }
});

test('ten starts and stops on one port leave nothing open', async (t) => {
  const holder = createUdpPort({ localhostOnly: true });
  t.after(() => holder.close());
  const number = await holder.bind(0, () => {});
  for (let i = 0; i < 10; i++) {
    const port = createUdpPort({ localhostOnly: true });
    assert.equal(await port.bind(number, () => assert.fail('nothing is delivered after close')), number);
    await port.close();
    await port.close();
    assert.deepEqual(port.targets(), []);
  }
  const heard = Promise.withResolvers<Datagram>();
  await holder.close();
  const last = createUdpPort({ localhostOnly: true });
  t.after(() => last.close());
  await last.bind(number, heard.resolve);
  for (const target of last.targets()) last.send(Buffer.from('hello'), target);
  assert.equal(Buffer.from((await heard.promise).bytes).toString(), 'hello');
});

test('the error names the port that another program does not share', async (t) => {
  const other = createSocket('udp4');
  t.after(() => other.close());
  other.bind({ port: 0, address: '127.255.255.255' });
  await once(other, 'listening');
  const port = createUdpPort({ localhostOnly: true });
  t.after(() => port.close());
  await assert.rejects(
    port.bind(other.address().port, () => {}),
    (error) => isEntglDbError(error, 'PORT_IN_USE'),
  );
});

test('an unusable interface is described as failed, and a change of the list is noticed', async (t) => {
  const real = {
    family: 'IPv4',
    address: '127.0.0.1',
    netmask: '255.0.0.0',
    internal: true,
    mac: '',
    cidr: null,
  } as const;
  const gone = { ...real, address: '127.0.0.300' };
  let listed = { lo: [real], ghost: [gone] };
  const port = createUdpPort({ localhostOnly: true, readInterfaces: () => listed });
  t.after(() => port.close());
  await port.bind(0, () => {});
  const ghost = port.describe().find((one) => one.interfaceName === 'ghost')!;
  assert.equal(ghost.state, 'failed');
  assert.ok(ghost.reason);
  assert.equal(port.refresh(), false);
  listed = { lo: [real], ghost: [] };
  assert.equal(port.refresh(), true);
  assert.deepEqual(
    port.describe().map((one) => one.interfaceName),
    ['lo'],
  );
});
