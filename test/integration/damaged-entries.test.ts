/**
 * Goal: whatever row is damaged, the node starts, works, and says what is lost; what it cannot do without comes from the newest
 * backup. Method: two real nodes with conflicts, history, receipts and a queue; one row of the file is spoiled.
 */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { NodeDatabase } from '../../src/index.ts';
import { atEnd } from './cleanup.ts';
import { openOnLoopback } from './loopback-node.ts';
import { eventually, makeFolder } from './node-process.ts';

const options = { timeout: 120_000 };
const NODE = 'till';
/** So many that the heads of the ledger have a finished block of 32 and an unfinished one. */
const CONFLICTS = 40;

test('a damaged entry of any side table keeps nothing from working, and is reported', options, async (t) => {
  const folder = await makeFolder(t);
  await livedNode(t, folder);
  const cases = [
    { space: 'conflict-heads', says: /nothing is lost/, conflicts: CONFLICTS, history: 6, queued: 1 },
    { space: 'conflicts', says: /list of conflicts/, conflicts: CONFLICTS - 1, history: 6, queued: 1 },
    { space: 'history', says: /history of its document/, conflicts: CONFLICTS, history: 5, queued: 1 },
    { space: 'queue', says: /operation of the offline queue is lost/, conflicts: CONFLICTS, history: 6, queued: 0 },
    { space: 'receipts', says: /peers say again/, conflicts: CONFLICTS, history: 6, queued: 1 },
    { space: 'events', says: /a note of what happened/, conflicts: CONFLICTS, history: 6, queued: 1 },
  ];
  for (const { space, says, ...held } of cases) {
    const copy = join(folder, `without-${space}`);
    cpSync(join(folder, NODE), join(copy, NODE), { recursive: true });
    spoil(
      copy,
      `UPDATE entry SET data = data || ' ' WHERE space = ? AND id = (SELECT max(id) FROM entry WHERE space = ?)`,
      [space, space],
    );
    const db = await openOnLoopback(copy, NODE);
    atEnd(t, () => db.close());
    await db.collection('kept', { history: { versions: 10 } }).put('new', { n: 0 });
    const found = {
      conflicts: (await db.conflicts({ limit: 1000 })).length,
      history: (await db.collection('kept', { history: { versions: 10 } }).history('k')).length,
      queued: db.offlineQueue.count,
    };
    assert.deepEqual(found, held, space);
    await eventually(`the loss of an entry of ${space} is told`, () => says.test(noticesOf(db)));
    await db.checkIntegrity();
    assert.match((await db.health()).checks.find(({ name }) => name === 'integrity')!.message, /repaired today/);
    await db.close();
    const again = await openOnLoopback(copy, NODE);
    atEnd(t, () => again.close());
    assert.doesNotMatch(noticesOf(again), /damage on disk/, `${space}: repaired once`);
    await again.close();
  }
});

test('a damaged text that the database cannot be without is replaced by the newest backup', options, async (t) => {
  const folder = await makeFolder(t);
  const persistence = { backupPath: join(folder, 'backups') };
  const first = await openOnLoopback(folder, NODE, [], { persistence });
  await first.collection('kept').put('k', { n: 1 });
  await first.close();
  spoil(folder, `UPDATE meta SET v = v || '1' WHERE k = ?`, ['engine.lived']);
  const db = await openOnLoopback(folder, NODE, [], { persistence });
  atEnd(t, () => db.close());
  assert.deepEqual(await db.collection('kept').get('k'), { n: 1 });
  assert.match(noticesOf(db), /restored from .*backup.*the damaged file is/);
});

test(
  'status names a damaged document that nobody has, over a restart, until somebody writes it again',
  options,
  async (t) => {
    const folder = await makeFolder(t);
    const first = await openOnLoopback(folder, NODE);
    await first.collection('kept').put('k', { n: 1 });
    await first.close();
    spoil(folder, `UPDATE doc SET value = '{"n":2}' WHERE key = ?`, ['k']);
    const db = await openOnLoopback(folder, NODE);
    atEnd(t, () => db.close());
    await assert.rejects(db.collection('kept').get('k'), { reason: 'DOCUMENT_CORRUPT' });
    await eventually('the loss is told', () => /document "k" in "kept" .* is gone/.test(noticesOf(db)));
    const { message } = (await db.health()).checks.find(({ name }) => name === 'integrity')!;
    assert.match(message, /could not be brought back: 1; `entgldb status` names them/);
    await db.close();
    const again = await openOnLoopback(folder, NODE);
    atEnd(t, () => again.close());
    assert.match(noticesOf(again), /document "k" in "kept"/);
    await again.collection('kept').put('k', { n: 3 });
    await eventually('nothing is told any more', () => noticesOf(again) === '');
  },
);

/** A closed node whose side tables all hold something. */
async function livedNode(t: TestContext, folder: string): Promise<void> {
  const till = await openOnLoopback(folder, NODE);
  const office = await openOnLoopback(folder, 'office', [till]);
  atEnd(t, () => Promise.all([till.close(), office.close()]));
  for (let n = 0; n < 5; n++) await till.collection('kept', { history: { versions: 10 } }).put('k', { n });
  await eventually('the first sync', async () => (await office.collection('kept').get('k')) !== undefined);
  await till.setNetworkPaused(true);
  for (let i = 0; i < CONFLICTS; i++)
    for (const db of [till, office]) await db.collection('contested').put(`k${i}`, { by: db.nodeId });
  await till.setNetworkPaused(false);
  await eventually('all conflicts', async () => (await till.conflicts({ limit: 1000 })).length === CONFLICTS);
  await till.offlineQueue.enqueue({ type: 'put', collection: 'kept', key: 'later', data: {} });
  await eventually('receipts', async () => till.unsynced().length === 0);
  await till.close();
  await office.close();
  spoil(folder, `INSERT INTO entry(space, id, data, sum) VALUES ('events', 1, '{}', 0)`, []);
}

function spoil(folder: string, sql: string, values: readonly string[]): void {
  const db = new DatabaseSync(join(folder, NODE, 'entgldb.db'));
  assert.equal(db.prepare(sql).run(...values).changes, 1);
  db.close();
}

function noticesOf(db: NodeDatabase): string {
  return db.status().notices.join('\n');
}
