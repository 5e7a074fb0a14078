/**
 * Goal: a database that is too damaged to open is kept aside and restored from a backup, and never becomes an empty one; and a
 * check names what is damaged.
 * Method: real SQLite files, damaged on disk.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { isEntglDbError } from '../../core/errors/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import type { Replica } from '../../database/replica/index.ts';
import { readBackupDocuments, restoreSqliteFile, type SqliteStore } from '../../store/index.ts';
import { openInFolder, withFolder } from '../../store/sqlite/test-folder.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';
import { checkIntegrity, openOrRestore } from './index.ts';
import { C, key, put } from './test-repair.ts';

const clock = createManualClock();

/** The engine on a store. */
function replicaOn(store: SqliteStore): Replica {
  return openMemoryReplica({ clock, random: createSeededRandom(3), store: store as never }).replica;
}

const deps = (folder: string, backupPath: string | undefined) => ({
  open: () => openInFolder(folder),
  newestGood: async () => (backupPath === undefined ? undefined : { path: backupPath, madeAt: 5 }),
  restore: (path: string) => restoreSqliteFile({ backupPath: path, path: join(folder, 'test.db'), pid: 1, clock }),
  logger: silentLogger,
});

async function damagedDatabase(folder: string): Promise<{ backupPath: string; damaged: Buffer }> {
  const path = join(folder, 'test.db');
  const store = await openInFolder(folder);
  put(replicaOn(store), 'a', 1);
  const backupPath = join(folder, 'good.db');
  await store.flush();
  await store.backup(backupPath);
  await store.close();
  const damaged = Buffer.from(readFileSync(path).fill(0x5a));
  writeFileSync(path, damaged);
  return { backupPath, damaged };
}

test('a file that cannot be opened is set aside unchanged, and the newest good backup takes its place', () =>
  withFolder(async (folder) => {
    const { backupPath, damaged } = await damagedDatabase(folder);
    const { opened: store, restored } = await openOrRestore(deps(folder, backupPath));
    assert.equal(store.get(C, key('a'))?.value, '{"n":1}');
    assert.equal(store.identity.fresh, true, 'a restored file takes a new id');
    assert.deepEqual([restored?.backupPath, restored?.backupAtMs], [backupPath, 5]);
    assert.deepEqual(readFileSync(restored!.aside!), damaged);
    await store.close();
  }));

test('without a backup nothing is changed, and the error says what to do', () =>
  withFolder(async (folder) => {
    const { damaged } = await damagedDatabase(folder);
    await assert.rejects(openOrRestore(deps(folder, undefined)), (error) => {
      assert.ok(isEntglDbError(error, 'DATABASE_CORRUPT'));
      assert.match(error.message, /no good backup/);
      return true;
    });
    assert.deepEqual(readFileSync(join(folder, 'test.db')), damaged);
  }));

test('a database that opens, or fails for another reason, is left alone', () =>
  withFolder(async (folder) => {
    const first = await openOrRestore(deps(folder, undefined));
    assert.equal(first.restored, undefined);
    await assert.rejects(openOrRestore(deps(folder, '/nowhere')), { reason: 'DATABASE_LOCKED' });
    await first.opened.close();
    assert.ok(!existsSync(join(folder, 'test.db.restoring')));
  }));

test('single documents can be read from a backup without opening it as a database', () =>
  withFolder(async (folder) => {
    const { backupPath } = await damagedDatabase(folder);
    const before = readFileSync(backupPath);
    const found = readBackupDocuments(backupPath, [
      { collection: C, key: key('a') },
      { collection: C, key: key('b') },
    ]);
    assert.deepEqual(
      found.map((document) => [document.key, document.value, document.versions.length]),
      [['a', '{"n":1}', 1]],
    );
    assert.deepEqual(readFileSync(backupPath), before);
    for (const suffix of ['-wal', '-shm', '.marker', '.lock']) assert.ok(!existsSync(backupPath + suffix));
  }));

test('a sound database passes the check; damage is named in the error, and reported while the check runs', () =>
  withFolder(async (folder) => {
    let store = await openInFolder(folder);
    const replica = replicaOn(store);
    for (let n = 0; n < 8; n++) put(replica, `k${n}`, n);
    await checkIntegrity(store);
    await store.close();
    const db = new DatabaseSync(join(folder, 'test.db'));
    db.exec(`UPDATE doc SET value = '{"n":7777}' WHERE key IN ('k1', 'k6')`);
    db.close();
    store = await openInFolder(folder);
    const told: string[] = [];
    await assert.rejects(checkIntegrity(store, { onDamage: (damage) => told.push(damage.kind) }), (error) => {
      assert.ok(isEntglDbError(error, 'DATABASE_CORRUPT'));
      assert.match(error.message, /document "k1" in "tills"/);
      assert.match(error.message, /document "k6" in "tills"/);
      assert.equal(error.details.count, told.length);
      return true;
    });
    assert.ok(told.includes('document'));
    const stop = AbortSignal.abort(new Error('enough'));
    await assert.rejects(checkIntegrity(store, { signal: stop }), /enough/);
    await store.close();
  }));
