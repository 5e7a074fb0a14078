/**
 * Goal: a running cluster gets a new token: no node restarts, none is left out meanwhile, and afterwards the old token
 * opens nothing. Method: three real nodes that find each other by discovery; their token files change one after another,
 * each followed by SIGHUP.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { areEqual, eventually, freeUdpPort, makeFolder, NodeProcess } from './node-process.ts';

const OLD = 'the token that somebody took along, 0123456789';
const NEW = 'the token that he does not know, 0123456789';

test('a new token reaches all nodes without a restart, and shuts out nodes that only hold the old one', async (t) => {
  const root = await makeFolder(t);
  const udpPort = await freeUdpPort();
  const names = ['a', 'b', 'c', 'lost'];
  const tokenFile = (name: string) => join(root, `${name}.token`);
  const settings = { Network: { LocalhostOnly: true } };
  const write = (name: string, token: string) => writeFile(tokenFile(name), token, { mode: 0o600 });
  const nodes = await Promise.all(
    names.map(async (name) => {
      await write(name, OLD);
      return NodeProcess.start(t, { folder: join(root, name), name, tokenFile: tokenFile(name), udpPort, settings });
    }),
  );
  const [lost, ...kept] = nodes.toReversed() as [NodeProcess, ...NodeProcess[]];
  const allLinked = (links: number) => async () =>
    (await Promise.all(kept.map((node) => node.status()))).every(({ connectedPeers }) => connectedPeers === links);
  await eventually('all are linked with all', allLinked(3));
  const oldFingerprint = (await lost.status()).tokenFingerprint;

  await writeFile(join(root, 'old.token'), OLD, { mode: 0o600 });
  const both = { Network: { ...settings.Network, PreviousAuthTokenFile: join(root, 'old.token') } };
  for (const [i, node] of kept.entries()) {
    await write(names[names.length - 2 - i]!, NEW);
    await writeFile(join(node.folder, 'appsettings.json'), JSON.stringify({ EntglDb: both }));
    node.signal('SIGHUP');
    await eventually('it has the new token', async () => (await node.status()).tokenFingerprint !== oldFingerprint);
    // A node that lost its links now meets nodes with either token.
    await node.setNetworkPaused(true);
    await node.setNetworkPaused(false);
    await eventually('all are linked with all again', allLinked(3));
    await node.collection('sales').put(`during-${i}`, { i });
    await eventually('what was written has arrived', () => areEqual(nodes));
    assert.deepEqual(node.logged('need a restart'), []);
    const [said] = node.logged('configuration read again');
    assert.deepEqual(said!.applied, ['Network.PreviousAuthTokenFile', 'Network.AuthTokenFile']);
  }

  for (const node of kept) {
    await writeFile(join(node.folder, 'appsettings.json'), JSON.stringify({ EntglDb: settings }));
    node.signal('SIGHUP');
  }
  await eventually('the lost one is shut out, and nobody else', allLinked(2));
  await eventually('and sees why', async () => {
    const { refusals, connectedPeers } = await lost.status();
    return connectedPeers === 0 && refusals.some(({ cause }) => cause === 'other-token');
  });
  await kept[0]!.collection('sales').put('after', {});
  await eventually('the others have what is written then', () => areEqual(kept));
  assert.equal(await areEqual(nodes), false);
  for (const node of nodes) assert.deepEqual([...node.logged(OLD), ...node.logged(NEW)], [], 'no token in a log');
});

test('the first token of a node needs a restart, because without a token it listens on its own machine only', async (t) => {
  const root = await makeFolder(t);
  const node = await NodeProcess.start(t, { folder: join(root, 'a'), name: 'a', settings: {} });
  const first = { Network: { AuthToken: NEW } };
  await writeFile(join(root, 'a', 'appsettings.json'), JSON.stringify({ EntglDb: first }));
  for (const times of [1, 2]) {
    node.signal('SIGHUP');
    await eventually('it says so', () => node.logged('need a restart').length === times);
    assert.deepEqual(node.logged('need a restart').at(-1)!.needRestart, ['Network.AuthToken']);
  }
  assert.equal((await node.status()).tokenFingerprint, null);
});
