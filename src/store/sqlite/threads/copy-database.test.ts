/**
 * Goal: a backup is complete, verified and sealed, or does not exist; restoring one replaces the database and nothing else.
 * Method: real files; bytes flipped and rows changed behind the store's back.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCollectionName, parseDocumentKey } from '../../../core/ids/index.ts';
import { createManualClock, sampleDocument, sampleReplica } from '../../../testing/index.ts';
import { readBackupHead } from '../read-backup.ts';
import { restoreSqliteFile, verifySqliteFile } from '../restore-file.ts';
import { consistentBatch, openInFolder, tamper, withFolder } from '../test-folder.ts';

const C = parseCollectionName('c');
const clock = createManualClock();
const isRoot = process.getuid?.() === 0 && 'root may write into every folder';

test('a backup holds everything, is sealed and verified, and is accessible to its owner only', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(600));
    const to = join(folder, 'backups', 'one.db');
    const fractions: number[] = [];
    await store.backup(to, { onProgress: (fraction) => fractions.push(fraction) });
    assert.ok(fractions.every((fraction) => fraction >= 0 && fraction <= 1));
    assert.equal(statSync(to).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(folder, 'backups')), ['one.db']);
    assert.deepEqual(await verifySqliteFile(to, { clock }), []);
    const copy = await openInFolder(join(folder, 'backups'), { path: to });
    assert.deepEqual(copy.identity, { fresh: true, reason: 'sealed', reservedSeq: 0, reservedPos: 0 });
    assert.deepEqual(copy.load().head, store.load().head);
    assert.equal(copy.changes(0, 1000).length, 600);
    await Promise.all([copy.close(), store.close()]);
  }));

test('of two databases that back up to one path at once, one gets it whole', () =>
  withFolder(async (folder) => {
    const stores = await Promise.all(
      ['a', 'b'].map((name, i) => openInFolder(folder, { path: join(folder, name, 'test.db'), pid: i + 1 })),
    );
    stores.forEach((store, i) => {
      const { head, ...batch } = consistentBatch(1000 + i);
      store.commit({ ...batch, head: { ...head!, replica: sampleReplica(i + 1) } });
    });
    const to = join(folder, 'one.db');
    const outcomes = await Promise.allSettled(stores.map((store) => store.backup(to)));
    const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
    const [lost] = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    assert.equal(lost?.reason.reason, 'BACKUP_EXISTS');
    assert.deepEqual(await verifySqliteFile(to, { clock }), []);
    assert.equal(readBackupHead(to, [])?.head.replica, sampleReplica(won + 1));
    assert.deepEqual(readdirSync(folder), ['a', 'b', 'one.db']);
    for (const store of stores) await store.close();
  }));

test('a backup is of one moment, whatever is written meanwhile', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(3000));
    const to = join(folder, 'one.db');
    let pos = 3000;
    await store.backup(to, {
      onProgress: () => {
        store.commit({ documents: [sampleDocument({ key: `new${++pos}`, pos })] });
      },
    });
    assert.ok(pos > 3000, 'something was written meanwhile');
    assert.deepEqual(await verifySqliteFile(to, { clock }), []);
    await store.close();
  }));

test('the error for a backup that cannot be written names the backup, not the database', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const file = join(folder, 'no-folder');
    writeFileSync(file, '');
    const to = join(file, 'one.db');
    await assert.rejects(store.backup(to), { reason: 'IO_FAILED', details: { path: to } });
    await store.close();
  }));

test('a backup replaces an existing file only with `overwrite`', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(5));
    const to = join(folder, 'one.db');
    writeFileSync(to, 'precious');
    await assert.rejects(store.backup(to), { reason: 'BACKUP_EXISTS' });
    assert.equal(readFileSync(to, 'utf8'), 'precious');
    await store.backup(to, { overwrite: true });
    assert.deepEqual(await verifySqliteFile(to, { clock }), []);
    await store.close();
  }));

test('an aborted backup and one of a damaged database leave no files', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(3000));
    const to = join(folder, 'one.db');
    const stop = new AbortController();
    const reason = new Error('enough');
    await assert.rejects(store.backup(to, { signal: stop.signal, onProgress: () => stop.abort(reason) }), reason);
    await store.close();
    tamper(join(folder, 'test.db'), "UPDATE doc SET value = '{}' WHERE key = 'k00003'");
    const again = await openInFolder(folder);
    await assert.rejects(again.backup(to), { reason: 'BACKUP_FAILED' });
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('one.db')),
      [],
    );
    await again.close();
  }));

test('a backup into a read-only folder fails with PERMISSION_DENIED', { skip: isRoot }, () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    chmodSync(folder, 0o500);
    await assert.rejects(store.backup(join(folder, 'x', 'one.db')), { reason: 'PERMISSION_DENIED' });
    chmodSync(folder, 0o700);
    await store.close();
  }),
);

test('a backup with a flipped bit is recognised and not restored', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(200));
    const to = join(folder, 'one.db');
    await store.backup(to);
    await store.close();
    const bytes = readFileSync(to);
    const at = bytes.lastIndexOf('{"n":100}');
    bytes[at + 5]! ^= 1;
    writeFileSync(to, bytes);
    assert.equal((await verifySqliteFile(to, { clock }))[0]?.kind, 'document');
    const restore = restoreSqliteFile({ backupPath: to, path: join(folder, 'test.db'), pid: 1, clock });
    await assert.rejects(restore, { reason: 'BACKUP_INVALID' });
    const again = await openInFolder(folder);
    assert.equal(again.identity.reason, 'same');
    await again.close();
  }));

test('a restored backup replaces the database, and the old file stays beside it', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    store.commit(consistentBatch(20));
    const backupPath = join(folder, 'one.db');
    await store.backup(backupPath);
    store.commit({ documents: [sampleDocument({ key: 'later', pos: 21 })] });
    await assert.rejects(restoreSqliteFile({ backupPath, path, pid: 1, clock }), { reason: 'DATABASE_LOCKED' });
    await store.close();
    const aside = await restoreSqliteFile({ backupPath, path, pid: 1, clock });
    assert.ok(existsSync(aside!));
    const restored = await openInFolder(folder);
    assert.equal(restored.identity.fresh, true);
    assert.equal(restored.get(C, parseDocumentKey('later')), undefined);
    assert.equal(restored.documents(C, null, 100).length, 20);
    await restored.close();
  }));
