/**
 * Goal: with discovery off, a node that got the configured address of another one is linked, also while that one is linked from its new
 * address. Method: `openDatabase` with real sockets on loopback, where a port stands for an address.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOnLoopback } from './loopback-node.ts';
import { eventually, makeFolder } from './node-process.ts';

test('a new till at the address of an old one is found by the office, which the old one now dials', async (t) => {
  const folder = await makeFolder(t);
  const first = await openOnLoopback(folder, 'old');
  const tcpPort = first.address().tcp!.port;
  await using office = await openOnLoopback(folder, 'office', [first]);
  await eventually('the old till is linked', () => office.status().connectedPeers === 1);
  await first.close();
  await using moved = await openOnLoopback(folder, 'old', [office]);
  await eventually('it is linked again', () => moved.status().connectedPeers === 1);
  await moved.collection('sales').put('moved', { n: 1 });
  await eventually('its write arrives', async () => (await office.collection('sales').get('moved')) !== undefined);
  await using fresh = await openOnLoopback(folder, 'new', [], { network: { tcpPort } });
  await fresh.collection('sales').put('fresh', { n: 2 });
  await eventually(
    'the write of the new till arrives',
    async () => (await office.collection('sales').get('fresh')) !== undefined,
  );
  assert.equal(office.status().connectedPeers, 2);
});
