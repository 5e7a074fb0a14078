/**
 * Goal: `verify` tells the truth about two real nodes, and rows that vanished silently come back.
 * Method: `openDatabase` as a program calls it, real files; rows are deleted from a closed file with SQLite itself.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isEntglDbError, type NodeDatabase } from '../../src/index.ts';
import { openOnLoopback } from './loopback-node.ts';
import { eventually, HUNG_MS, makeFolder } from './node-process.ts';

const DOCUMENTS = 500;
const LOST = 10;

/** Reads the rows: the count that the database keeps does not notice that some vanished. */
async function rowsOf(db: NodeDatabase): Promise<number> {
  let rows = 0;
  for await (const _ of db.collection('users').keys()) rows++;
  return rows;
}

test('equal nodes verify as equal; rows that vanished are found from either side, and come back', async (t) => {
  const folder = await makeFolder(t);
  const signal = AbortSignal.timeout(HUNG_MS);
  const till = await openOnLoopback(folder, 'till');
  await till.collection('users').putMany(Array.from({ length: DOCUMENTS }, (_, i) => [`u${i}`, { i }] as const));
  let office = await openOnLoopback(folder, 'office', [till]);
  await till.replicated('users', undefined, { signal });
  await eventually('an equal verdict', async () => {
    const [peer] = await till.verify('office', { signal });
    return peer?.collections[0]?.verdict === 'equal';
  });
  const [peer] = await till.verify('office', { signal });
  assert.deepEqual(peer?.collections, [{ collection: 'users', verdict: 'equal', ours: DOCUMENTS, theirs: DOCUMENTS }]);
  await assert.rejects(till.verify('nobody'), (error) => isEntglDbError(error, 'NODE_UNREACHABLE'));

  await office.close();
  const file = new DatabaseSync(join(folder, 'office', 'entgldb.db'));
  file.exec(`DELETE FROM doc WHERE key IN (SELECT key FROM doc ORDER BY key LIMIT ${LOST})`);
  file.close();
  office = await openOnLoopback(folder, 'office', [till]);
  await eventually('the meeting', async () => till.isOnline);
  const [found] = await till.verify('office', { signal });
  assert.equal(found?.collections[0]?.verdict, 'different');
  await eventually('the healing', async () => (await rowsOf(office)) === DOCUMENTS);
  await eventually('an equal verdict again', async () => {
    const [again] = await office.verify(undefined, { signal });
    return again?.collections[0]?.verdict === 'equal';
  });
  await Promise.all([office.close(), till.close()]);
});
