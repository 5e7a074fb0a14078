/**
 * Goal: on two real nodes, the production services work from the start: the network feeds them, and they repair by
 * themselves. Method: `openDatabase` and `createServices` as a program calls them, real files, loopback sockets.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createServices, isEntglDbError, type NodeDatabase, openDatabase, type Services } from '../../src/index.ts';
import { loopbackOptions } from './loopback-node.ts';
import { eventually, lastingPort, PATIENCE_MS } from './node-process.ts';

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-services-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const options = (folder: string, nodeId: string, peers: readonly NodeDatabase[] = [], tcpPort = 0) => ({
  ...loopbackOptions(folder, nodeId, peers, {
    network: { tcpPort },
    persistence: { backupPath: join(folder, nodeId, 'backups') },
  }),
  health: { shutdownTimeoutMs: PATIENCE_MS },
});

test('the queue empties itself once the first peer is there, and tracker and health show it', () =>
  inFolder(async (folder) => {
    await using till: Services = await createServices(options(folder, 'till'));
    const online: boolean[] = [];
    till.database.onOnlineChange((isOnline) => online.push(isOnline));
    till.offlineQueue.register(async ({ collection, key, data }) => {
      await till.database.collection(collection).put(key, data!);
    });
    await till.offlineQueue.enqueue({ type: 'put', collection: 'users', key: 'user1', data: { name: 'Alice' } });
    assert.equal(till.database.status().queuedOperations, 1);
    assert.equal(till.database.isOnline, false);
    assert.equal((await till.healthCheck.check()).state, 'healthy');
    const office = await openDatabase(options(folder, 'office', [till.database]));
    await eventually('the flush', () => till.offlineQueue.count === 0);
    await eventually('the sync', async () => (await office.collection('users').get('user1')) !== undefined);
    assert.deepEqual(online, [true]);
    await eventually('a completed round', () => till.syncStatusTracker.getStatus().lastSyncTime !== null);
    const { activePeers, totals } = till.syncStatusTracker.getStatus();
    assert.deepEqual(
      activePeers.map(({ nodeId }) => nodeId),
      ['office'],
    );
    assert.ok(totals.documents > 0 && totals.bytes > 0 && totals.syncs > 0, JSON.stringify(totals));
    assert.equal((await till.healthCheck.check()).connectedPeers, 1);
    await office.close();
    await eventually('going offline', () => !till.database.isOnline);
    const report = await till.healthCheck.check();
    assert.deepEqual([report.isHealthy, report.state, report.networkHealthy], [true, 'degraded', false]);
    assert.deepEqual(online, [true, false]);
  }));

test('a damaged document comes back from a peer, without an operator', () =>
  inFolder(async (folder) => {
    await using office = await openDatabase(options(folder, 'office'));
    await using till = await openDatabase(options(folder, 'till', [office]));
    await till.collection('sales').put('s1', { price: 5 });
    await eventually('the sync', async () => (await office.collection('sales').get('s1')) !== undefined);
    tamper(join(folder, 'till', 'entgldb.db'), `UPDATE doc SET value = '{"price":1}' WHERE key = 's1'`);
    till.cache.clear();
    await assert.rejects(till.collection('sales').get('s1'), { reason: 'DOCUMENT_CORRUPT' });
    const read = () =>
      till
        .collection('sales')
        .get('s1')
        .catch(() => undefined);
    await eventually('the repair', async () => (await read()) !== undefined);
    assert.deepEqual(await till.collection('sales').get('s1'), { price: 5 });
    await till.checkIntegrity();
    const enough = AbortSignal.abort(new Error('enough'));
    await assert.rejects(till.checkIntegrity({ signal: enough }), /^Error: enough$/);
    assert.deepEqual(await office.collection('sales').get('s1'), { price: 5 });
  }));

test('a database that cannot be opened is restored from the newest good backup, and the damaged file is kept', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'till', 'entgldb.db');
    const first = await openDatabase({ ...options(folder, 'till'), network: false });
    await first.collection('sales').put('s1', { price: 5 });
    assert.equal(await first.backup('../by-hand.db').catch((error) => error.reason), 'INVALID_NAME');
    assert.equal(await first.backup('by-hand.db'), join(folder, 'till', 'backups', 'by-hand.db'));
    await first.close();
    writeFileSync(path, Buffer.from(readFileSync(path).fill(0x11)));
    await using again = await openDatabase({ ...options(folder, 'till'), network: false });
    assert.deepEqual(await again.collection('sales').get('s1'), { price: 5 });
    assert.ok(again.status().notices.some((notice) => notice.includes('was restored from')));
    const aside = readdirSync(join(folder, 'till')).filter((name) => name.includes('.replaced-'));
    assert.equal(aside.length, 1);
    const backups = await again.backups();
    assert.ok(backups.some(({ kind }) => kind === 'latest'));
  }));

test("the guide's manual way works too: latest.db copied over the database", () =>
  inFolder(async (folder) => {
    const path = join(folder, 'till', 'entgldb.db');
    const first = await openDatabase({ ...options(folder, 'till'), network: false });
    await first.collection('sales').put('s1', { price: 5 });
    await first.close();
    const latest = join(folder, 'till', 'backups', 'latest.db');
    assert.ok(existsSync(latest), 'the backup at shutdown');
    writeFileSync(path, readFileSync(latest));
    await using again = await openDatabase({ ...options(folder, 'till'), network: false });
    assert.deepEqual(await again.collection('sales').get('s1'), { price: 5 });
  }));

test('a port that is taken is refused at open, and leaves nothing behind', () =>
  inFolder(async (folder) => {
    const port = await lastingPort();
    const taken = createServer().listen(port, '127.0.0.1');
    await once(taken, 'listening');
    await assert.rejects(openDatabase(options(folder, 'till', [], port)), (error) =>
      isEntglDbError(error, 'PORT_IN_USE'),
    );
    taken.close();
    await once(taken, 'close');
    const db = await openDatabase(options(folder, 'till', [], port));
    await db.close();
  }));

/** Changes the file behind the store's back. */
function tamper(path: string, sql: string): void {
  const db = new DatabaseSync(path, { timeout: 20_000 });
  db.exec(sql);
  db.close();
}
