/**
 * Goal: an operator sees which writes are on this machine only, and whether two nodes hold the same. Method: the commands,
 * and the routes behind them, on two real nodes.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, HUNG_MS, makeFolder, NodeProcess, runCommand, writeToken } from './node-process.ts';

test('status shows what is only here, and verify whether nodes hold the same', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const till = await NodeProcess.start(t, { folder: join(folder, 'till'), name: 'till', tokenFile });
  const status = await runCommand(['status', '--data', join(folder, 'till')]);
  assert.match(status.out, /^Only here +nothing yet$/m, 'an empty node has no writes to be anywhere');
  await till.collection('orders').putMany([1, 2, 3].map((n) => [`o${n}`, { n }] as const));
  const entgldb = (...args: string[]) => runCommand([...args, '--data', join(folder, 'till')]);

  assert.match((await entgldb('status')).out, /^Only here +3 writes in orders$/m);
  assert.deepEqual(JSON.parse((await entgldb('status', '--json')).out).unsynced, [{ collection: 'orders', writes: 3 }]);
  const alone = await entgldb('verify');
  assert.equal(alone.code, 3);
  assert.match(alone.err, /^entgldb: no peer is connected, so nothing was compared; see `entgldb peers`\n$/);

  const office = { folder: join(folder, 'office'), name: 'office', tokenFile, peers: [till.address] };
  await NodeProcess.start(t, office);
  await eventually('all is on both', async () => /^Only here +nothing/m.test((await entgldb('status')).out));
  const pending = { method: 'GET', path: '/api/v1/unsynced?peer=office' } as const;
  assert.deepEqual(await till.client.json(pending), { peer: 'office', pending: [] });
  const answer = await till.client.json({ ...pending, path: '/api/v1/unsynced?peer=stranger' });
  assert.deepEqual(answer, { peer: 'stranger', pending: [{ collection: 'orders', writes: 3 }] });

  await eventually('they are equal', async () => (await entgldb('verify')).code === 0);
  const equal = await entgldb('verify', 'office');
  assert.match(equal.out, /^PEER +COLLECTION +VERDICT +HERE +THERE\noffice +orders +equal +3 +3\n$/);
  assert.deepEqual(JSON.parse((await entgldb('verify', '--json')).out).peers[0].collections, [
    { collection: 'orders', verdict: 'equal', ours: 3, theirs: 3 },
  ]);
  const nobody = await entgldb('verify', 'nobody');
  assert.deepEqual([nobody.code, nobody.out], [3, '']);
  const { paths } = (await till.client.json({ method: 'GET', path: '/openapi.json' })) as { paths: object };
  assert.ok('/api/v1/verification' in paths && '/api/v1/unsynced' in paths);

  await till.stop();
  const stopped = (await entgldb('status')).out;
  assert.match(stopped, /^Only here +nothing/m, 'also while it does not run');
  assert.doesNotMatch(stopped, /Last sync/, 'which nobody knows of a node that does not run');
  assert.equal((await entgldb('verify')).code, 3);
});
