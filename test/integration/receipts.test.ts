/**
 * Goal: the conflict ledger and the receipts of two real nodes tell the truth, even after both were restarted.
 * Method: `openDatabase` as a program calls it, real files, loopback sockets; writes collide while the network is off.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOnLoopback } from './loopback-node.ts';
import { HUNG_MS, makeFolder } from './node-process.ts';

test('two writes that collide are listed by name, and receipts survive a restart of either node', async (t) => {
  const folder = await makeFolder(t);
  const signal = AbortSignal.timeout(HUNG_MS);
  let till = await openOnLoopback(folder, 'till');
  const office = await openOnLoopback(folder, 'office', [till]);
  await office.setNetworkPaused(true);
  await till.collection('users').put('u', { name: 'till' });
  assert.deepEqual(till.unsynced(), [{ collection: 'users', writes: 1 }]);
  await office.collection('users').put('u', { name: 'office' });
  await office.setNetworkPaused(false);
  await Promise.all([
    till.replicated('users', 'u', { signal }),
    office.replicated('users', undefined, { peers: 1, signal }),
  ]);
  assert.deepEqual([...till.unsynced(), ...office.unsynced(), ...till.pendingFor('office')], []);
  const [atTill, atOffice] = [...(await till.conflicts()), ...(await office.conflicts())];
  const conflict = atTill ?? atOffice;
  assert.deepEqual([...conflict!.nodes].sort(), ['office', 'till']);
  await till.setNetworkPaused(true);
  await till.collection('users').put('later', { n: 1 });
  assert.deepEqual(till.pendingFor('office'), [{ collection: 'users', writes: 1 }]);
  await assert.rejects(
    till.replicated('users', 'later', { signal: AbortSignal.abort(new Error('offline')) }),
    /offline/,
  );
  await till.close();
  till = await openOnLoopback(folder, 'till', [office]);
  const waiting = till.replicated('users', 'later', { signal });
  await waiting;
  assert.deepEqual(till.unsynced(), []);
  await till.close();
  await office.close();
  till = await openOnLoopback(folder, 'till');
  assert.deepEqual([till.unsynced(), till.pendingFor('office')], [[], []], 'said before the restart, still true');
  await till.close();
});
