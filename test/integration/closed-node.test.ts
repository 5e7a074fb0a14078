/**
 * Goal: a closed node stays closed: no call opens a port, a file or a timer again.
 * Method: a real node on loopback; its public methods are called while it closes and afterwards.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '../../src/index.ts';
import { makeFolder, PATIENCE_MS } from './node-process.ts';

const network = { localhostOnly: true, enableDiscovery: false, tcpPort: 0 };

test('a node that was taken off the network and closed cannot go back online', async (t) => {
  const db = await openDatabase({ dataDirectory: await makeFolder(t), network });
  await db.setNetworkPaused(true);
  const closing = db.close();
  await assert.rejects(db.setNetworkPaused(false), { reason: 'DATABASE_CLOSED' });
  await closing;
  await assert.rejects(db.setNetworkPaused(false), { reason: 'DATABASE_CLOSED' });
  assert.deepEqual(db.address(), { tcp: null, udp: null, http: null });
});

test('every call on a closed node is refused as closed, or answered from memory', async (t) => {
  const folder = await makeFolder(t);
  const db = await openDatabase({
    dataDirectory: folder,
    network,
    persistence: { backupPath: 'backups' },
    health: { shutdownTimeoutMs: PATIENCE_MS },
  });
  const sales = db.collection('sales');
  await sales.put('s1', { price: 1 });
  await db.close();
  const refused: Record<string, () => unknown> = {
    backup: () => db.backup(),
    checkIntegrity: () => db.checkIntegrity(),
    compact: () => db.compact(),
    status: () => db.status(),
    narrow: () => db.narrow('sales'),
    widen: () => db.widen('sales'),
    evict: () => db.evict('sales'),
    conflicts: () => db.conflicts(),
    restoreConflict: () => db.restoreConflict(1),
    replicated: () => db.replicated('sales'),
    pendingFor: () => db.pendingFor('other'),
    unsynced: () => db.unsynced(),
    verify: () => db.verify(),
    flush: () => db.flush(),
    transaction: () => db.transaction(async (tx) => tx.collection(sales).get('s1')),
    collection: () => db.collection('others'),
    collections: () => db.collections(),
    put: () => sales.put('s2', {}),
    get: () => sales.get('s1'),
    find: () => sales.find({ price: { $gt: 0 } }),
    ensureIndex: () => sales.ensureIndex('price'),
    blobs: () => db.blobs.put(Buffer.from('blob')),
    enqueue: () => db.offlineQueue.enqueue({ type: 'put', collection: 'sales', key: 's3', data: {} }),
    watch: () => sales.watch()[Symbol.asyncIterator]().next(),
    setNetworkPaused: () => db.setNetworkPaused(true),
  };
  for (const [name, ask] of Object.entries(refused))
    await assert.rejects(async () => ask(), { reason: 'DATABASE_CLOSED' }, name);
  assert.deepEqual(db.peers(), []);
  assert.equal(db.isOnline, false);
  assert.equal((await db.health()).isHealthy, false);
  assert.ok((await db.backups()).length > 0, 'one was made at the end');
});

test('a backup of a closed node without a backup folder is refused because the node is closed', async (t) => {
  const db = await openDatabase({ dataDirectory: await makeFolder(t), network: false });
  await db.close();
  await assert.rejects(db.backup(), { reason: 'DATABASE_CLOSED' });
  await assert.rejects(db.backup('/elsewhere/copy.db'), { reason: 'DATABASE_CLOSED' });
});
