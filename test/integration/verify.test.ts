/**
 * Goal: `verify` says what is true of two real nodes, and rows that vanished silently come back.
 * Method: `openDatabase` as a program calls it, real files; rows are taken out of a closed file by SQLite itself.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isEntglDbError, type NodeDatabase, openDatabase } from '../../src/index.ts';

const WAIT_MS_MAX = 30_000;
const DOCUMENTS = 500;
const LOST = 10;

function openNode(folder: string, nodeId: string, peers: readonly NodeDatabase[] = []): Promise<NodeDatabase> {
  return openDatabase({
    dataDirectory: join(folder, nodeId),
    nodeId,
    network: {
      localhostOnly: true,
      enableDiscovery: false,
      tcpPort: 0,
      authToken: 'a token for the tests of verify',
      knownPeers: peers.map((db) => ({ address: `127.0.0.1:${db.address().tcp!.port}` })),
    },
    persistence: { databasePath: join(folder, nodeId, 'entgldb.db') },
  });
}

/** Waits for something that another node does: there is no event for it here. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (performance.now() < deadline) {
    if (await isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`${what} did not happen`);
}

const counts = (db: NodeDatabase): Promise<number> => db.collection('users').count();

test('equal nodes are equal; rows that vanished are found from either side, and come back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-verify-'));
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  try {
    const till = await openNode(folder, 'till');
    await till.collection('users').putMany(Array.from({ length: DOCUMENTS }, (_, i) => [`u${i}`, { i }] as const));
    let office = await openNode(folder, 'office', [till]);
    await till.replicated('users', undefined, { signal });
    await until('an equal verdict', async () => {
      const [peer] = await till.verify('office', { signal });
      return peer?.collections[0]?.verdict === 'equal';
    });
    const [peer] = await till.verify('office', { signal });
    assert.deepEqual(peer?.collections, [
      { collection: 'users', verdict: 'equal', ours: DOCUMENTS, theirs: DOCUMENTS },
    ]);
    await assert.rejects(till.verify('nobody'), (error) => isEntglDbError(error, 'NODE_UNREACHABLE'));

    await office.close();
    const file = new DatabaseSync(join(folder, 'office', 'entgldb.db'));
    file.exec(`DELETE FROM doc WHERE key IN (SELECT key FROM doc ORDER BY key LIMIT ${LOST})`);
    file.close();
    office = await openNode(folder, 'office', [till]);
    await until('the meeting', async () => till.isOnline);
    const [found] = await till.verify('office', { signal });
    assert.equal(found?.collections[0]?.verdict, 'different');
    await until('the healing', async () => (await counts(office)) === DOCUMENTS);
    await until('an equal verdict again', async () => {
      const [again] = await office.verify(undefined, { signal });
      return again?.collections[0]?.verdict === 'equal';
    });
    await Promise.all([office.close(), till.close()]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
