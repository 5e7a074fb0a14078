/**
 * Goal: two nodes whose programs define a collection differently report it, each to its own user, until it is fixed.
 * Method: `openDatabase` as programs call it, with real validators; definitions come after the nodes have met.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import type { NodeDatabase } from '../../src/index.ts';
import { atEnd } from './cleanup.ts';
import { openOnLoopback } from './loopback-node.ts';
import { eventually, HUNG_MS, makeFolder } from './node-process.ts';

async function openPair(t: TestContext): Promise<[till: NodeDatabase, office: NodeDatabase]> {
  const folder = await makeFolder(t);
  const till = await openOnLoopback(folder, 'till');
  const office = await openOnLoopback(folder, 'office', [till]);
  atEnd(t, () => Promise.all([till.close(), office.close()]));
  return [till, office];
}

const differing = (db: NodeDatabase): string[] =>
  db.peers().flatMap((peer) => peer.definitionMismatches.map(({ collection, part }) => `${collection}: ${part}`));

test('differing resolver, version and schema are reported at both nodes, and documents keep flowing', async (t) => {
  const [till, office] = await openPair(t);
  await eventually('the meeting', () => till.isOnline && office.isOnline);
  const degraded = new Promise<string>((resolve) => {
    till.healthCheck.onChange(({ name, after, message }) => {
      if (name === 'definitions' && after === 'degraded') resolve(message);
    });
  });
  const name = z.object({ name: z.string() });
  till.collection('users', { schema: name, resolver: 'merge' });
  till.collection('orders', { version: 1, migrations: { 1: (order) => order } });
  till.collection('sales', { schema: name });
  office.collection('users', { schema: name });
  office.collection('orders', { version: 0, schema: name });
  office.collection('sales', { schema: z.object({ name: z.string(), price: z.number() }) });
  const expected = ['users: resolver', 'orders: version', 'sales: schema'].sort();
  for (const db of [till, office])
    await eventually('the report', () => differing(db).sort().join() === expected.join());
  assert.match(await degraded, /users.* merge@1 here and by lww@1 on office/);
  assert.equal((await till.health()).isHealthy, true, 'degraded, not unhealthy');
  const notices = office.status().notices.join('\n');
  assert.match(notices, /"users" are resolved by lww@1 here and by merge@1 on till/);
  assert.match(notices, /"orders" has version 0 here and version 1 on till/);
  assert.match(notices, /"sales" has another schema here than on till/);
  await till.collection('users').put('u1', { name: 'Alice' });
  await till.replicated('users', undefined, { signal: AbortSignal.timeout(HUNG_MS) });
  await office.close();
  await eventually('the end of it', () => differing(till).length === 0);
});

test('a node whose program defines nothing causes no mismatch', async (t) => {
  const [till, office] = await openPair(t);
  await eventually('the meeting', () => till.isOnline && office.isOnline);
  const users = till.collection('users', {
    schema: z.object({ name: z.string() }),
    version: 1,
    migrations: { 1: (u) => u },
  });
  await users.put('u1', { name: 'Alice' });
  await till.replicated('users', undefined, { signal: AbortSignal.timeout(HUNG_MS) });
  assert.deepEqual([differing(till), differing(office)], [[], []]);
});
