/**
 * Goal: two nodes whose BackupPath is one folder keep all that each needs: neither removes the other's backups, and a damaged one is
 * restored from its own. Method: real databases that are opened and closed in turn, each with a backup at its end.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';
import { makeFolder, PATIENCE_MS } from './node-process.ts';

const RETENTION = 2;
/** The backup at the end is given up if it takes longer. */
const health = { shutdownTimeoutMs: PATIENCE_MS };

test('two nodes with one folder for backups keep and restore their own', async (t) => {
  const base = await makeFolder(t);
  const backupPath = join(base, 'backups');
  const open = (name: string): Promise<NodeDatabase> =>
    openDatabase({
      dataDirectory: join(base, name),
      network: false,
      persistence: { backupPath, backupRetention: RETENTION, enableAutoBackup: true },
      health,
    });
  const write = async (name: string, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await using db = await open(name);
      await db.collection(name).put('k', { i });
    }
  };
  const names = (): string[] => readdirSync(backupPath).filter((name) => name.startsWith('auto-'));
  await write('b', 1);
  const [ofB] = names();
  await write('a', 2);
  {
    await using a = await open('a');
    await a.backup('by-hand.db');
  }
  await write('a', 2);
  assert.ok(names().includes(ofB!), 'b made one, long before');
  assert.ok(names().length <= 2 * RETENTION);

  // The newest is of a. A file that is cut within its pages cannot be opened.
  truncateSync(join(base, 'b', 'entgldb.db'), 5000);
  {
    await using b = await open('b');
    assert.deepEqual(await b.collection('b').get('k'), { i: 0 });
    assert.equal(await b.collection('a').count(), 0);
  }
  // After the restore it has begun another life, and still knows its earlier backups.
  await write('b', 3);
  assert.ok(names().length <= 2 * RETENTION, `${names()}`);

  // Restored by hand from an older backup.
  copyFileSync(join(backupPath, 'by-hand.db'), join(base, 'a', 'entgldb.db'));
  await write('a', 3);
  await using a = await open('a');
  assert.deepEqual(await a.collection('a').get('k'), { i: 2 });
  assert.ok(names().length <= 2 * RETENTION, `${names()}`);
  const listed = (await a.backups()).filter(({ kind }) => kind === 'automatic');
  assert.equal(listed.length, names().length, 'all are listed');
});

test('a node that was restored from the backup of another one leaves what that one has backed up since', async (t) => {
  const base = await makeFolder(t);
  const backupPath = join(base, 'backups');
  const write = async (nodeId: string): Promise<void> => {
    await using db = await openDatabase({
      ...{ nodeId, dataDirectory: join(base, nodeId), network: false },
      persistence: { backupPath, backupRetention: nodeId === 'a' ? RETENTION : 7 },
      health,
    });
    await db.collection('c').put('k', { nodeId });
  };
  const names = (): string[] => readdirSync(backupPath).filter((name) => name.startsWith('auto-'));
  await write('b');
  const [first] = names();
  await write('a');
  copyFileSync(join(backupPath, first!), join(base, 'a', 'entgldb.db'));
  for (let i = 0; i < 2; i++) await write('b');
  for (let i = 0; i < 3; i++) await write('a');
  assert.equal(names().length, 5, 'one of a from before it was restored, two of b and two of a since');
  // Damaged, it gets its own newest one.
  await write('b');
  truncateSync(join(base, 'a', 'entgldb.db'), 5000);
  await using a = await openDatabase({
    ...{ nodeId: 'a', dataDirectory: join(base, 'a'), network: false },
    persistence: { backupPath, enableAutoBackup: false },
  });
  assert.deepEqual(await a.collection('c').get('k'), { nodeId: 'a' });
});
