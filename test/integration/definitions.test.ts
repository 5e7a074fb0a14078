/**
 * Goal: two nodes whose programs define a collection differently say so, each to its own user, and stop when it is mended.
 * Method: `openDatabase` as programs call it, with real validators; definitions come after the nodes have met.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';

const WAIT_MS_MAX = 30_000;

async function openPair(t: TestContext): Promise<[till: NodeDatabase, office: NodeDatabase]> {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-definitions-'));
  const open = (nodeId: string, peers: readonly NodeDatabase[]): Promise<NodeDatabase> =>
    openDatabase({
      dataDirectory: join(folder, nodeId),
      nodeId,
      network: {
        localhostOnly: true,
        enableDiscovery: false,
        tcpPort: 0,
        authToken: 'a token for the tests of definitions',
        knownPeers: peers.map((db) => ({ address: `127.0.0.1:${db.address().tcp!.port}` })),
      },
      persistence: { databasePath: join(folder, nodeId, 'entgldb.db') },
    });
  const till = await open('till', []);
  const office = await open('office', [till]);
  t.after(async () => {
    await Promise.all([till.close(), office.close()]);
    rmSync(folder, { recursive: true });
  });
  return [till, office];
}

/** Waits for something that another node does: there is no event for it here. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (performance.now() < deadline) {
    if (isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`${what} did not happen`);
}

const differing = (db: NodeDatabase): string[] =>
  db.peers().flatMap((peer) => peer.definitionMismatches.map(({ collection, part }) => `${collection}: ${part}`));

test('resolver, version and schema that differ are reported at both nodes, and documents flow on', async (t) => {
  const [till, office] = await openPair(t);
  await until('the meeting', () => till.isOnline && office.isOnline);
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
  for (const db of [till, office]) await until('the report', () => differing(db).sort().join() === expected.join());
  assert.match(await degraded, /users.* merge@1 here and by lww@1 on office/);
  assert.equal((await till.health()).isHealthy, true, 'degraded, not unhealthy');
  const notices = office.status().notices.join('\n');
  assert.match(notices, /"users" are resolved by lww@1 here and by merge@1 on till/);
  assert.match(notices, /"orders" has version 0 here and version 1 on till/);
  assert.match(notices, /"sales" has another schema here than on till/);
  await till.collection('users').put('u1', { name: 'Alice' });
  await till.replicated('users', undefined, { signal: AbortSignal.timeout(WAIT_MS_MAX) });
  await office.close();
  await until('the end of it', () => differing(till).length === 0);
});

test('a node whose program defines nothing is no mismatch', async (t) => {
  const [till, office] = await openPair(t);
  await until('the meeting', () => till.isOnline && office.isOnline);
  const users = till.collection('users', {
    schema: z.object({ name: z.string() }),
    version: 1,
    migrations: { 1: (u) => u },
  });
  await users.put('u1', { name: 'Alice' });
  await till.replicated('users', undefined, { signal: AbortSignal.timeout(WAIT_MS_MAX) });
  assert.deepEqual([differing(till), differing(office)], [[], []]);
});
