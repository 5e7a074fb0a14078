/**
 * Goal: a check names what is damaged and nothing else; a backup is complete, verified and sealed, or does not exist.
 * Method: real files; bytes flipped and rows changed behind the store's back.
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { parseCollectionName, parseDocumentKey } from '../../../core/ids/index.ts';
import { silentLogger } from '../../../core/logging/index.ts';
import { FingerprintSum } from '../../../core/version/index.ts';
import { createManualClock, sampleDocument, sampleHead, sampleReplica } from '../../../testing/index.ts';
import type { Damage, StoreBatch } from '../../store.ts';
import { readBackupHead } from '../read-backup.ts';
import { restoreSqliteFile, verifySqliteFile } from '../restore-file.ts';
import { openInFolder, tamper, withFolder } from '../test-folder.ts';
import { Maintenance } from './maintenance.ts';

const C = parseCollectionName('c');
const clock = createManualClock();

/** A batch whose collection row fits its documents. */
function consistentBatch(count: number): StoreBatch {
  const documents = Array.from({ length: count }, (_, i) =>
    sampleDocument({
      key: `k${String(i).padStart(5, '0')}`,
      pos: i + 1,
      ...(i === 1 ? { versions: [{ seq: 2 }, { replica: sampleReplica(2), seq: 9 }] } : {}),
    }),
  );
  const sum = new FingerprintSum();
  for (const { versions } of documents) for (const { digest } of versions) sum.add(digest);
  return {
    head: sampleHead({ seq: count, pos: count }),
    documents,
    collections: [{ name: C, state: 'wanted', documents: count, fingerprint: sum.value(), resolver: 'lww@1' }],
  };
}

async function damageOf(store: { checkIntegrity(): AsyncIterable<Damage> }): Promise<Damage[]> {
  const found: Damage[] = [];
  for await (const damage of store.checkIntegrity()) found.push(damage);
  return found;
}

test('a healthy database has no damage', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(1200));
    assert.deepEqual(await damageOf(store), []);
    await store.close();
  }));

test('writes during a check are not reported as damage: new collections, new replicas, documents with siblings', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(3000));
    let isChecking = true;
    let pos = 3001;
    const writing = (async () => {
      // Not too many: each collection lengthens the check.
      for (; isChecking && pos < 3401; pos++) {
        const collection = parseCollectionName(`new${pos}`);
        const versions = [{ replica: sampleReplica(pos), seq: 1 }, { seq: pos }];
        const document = sampleDocument({ collection, key: 'k', pos, versions });
        const sum = new FingerprintSum();
        for (const { digest } of document.versions) sum.add(digest);
        const row = { name: collection, state: 'wanted', documents: 1, fingerprint: sum.value() } as const;
        const collections = [{ ...row, resolver: 'lww@1' }];
        store.commit({ head: sampleHead({ seq: pos, pos }), documents: [document], collections });
        for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
      }
    })();
    const found = [...(await damageOf(store)), ...(await damageOf(store))];
    isChecking = false;
    await writing;
    assert.deepEqual(found, []);
    assert.ok(pos > 3003, 'nothing was written meanwhile');
    await store.close();
  }));

test('a changed value is reported by reads, by the check and at open', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(10));
    await store.close();
    tamper(join(folder, 'test.db'), `UPDATE doc SET value = '{"n":0}' WHERE key = 'k00003'`);
    const again = await openInFolder(folder);
    const key = parseDocumentKey('k00003');
    assert.deepEqual(again.damagedAtOpen, [{ collection: C, key }]);
    const corrupt = { reason: 'DOCUMENT_CORRUPT', details: { collection: C, key } };
    assert.throws(() => again.get(C, key), corrupt);
    assert.throws(() => again.changes(0, 100), corrupt);
    assert.equal(again.documents(C, null, 100, new Set([key])).length, 9);
    const damage = await damageOf(again);
    assert.deepEqual(
      damage.map((found) => [found.kind, 'key' in found && found.key]),
      [['document', key]],
    );
    await again.close();
  }));

for (const [what, sql, kind] of [
  ['position', "UPDATE doc SET pos = 999 WHERE key = 'k00003'", 'document'],
  ['own line', "UPDATE doc SET line = 1, line_replica = 1 WHERE key = 'k00003'", 'document'],
  ['missing sibling', 'DELETE FROM sibling WHERE seq = 9', 'document'],
  ['resolved value', "UPDATE doc SET value = '{}' WHERE replica IS NULL", 'document'],
  ['knowledge', 'UPDATE state SET seq = 7 WHERE coll = 1 AND replica = 0', 'file'],
  ['lost row', "DELETE FROM doc WHERE key = 'k00003'", 'collection'],
  ['lost collection', 'DELETE FROM doc; DELETE FROM sibling', 'collection'],
] as const) {
  test(`a check finds damage: ${what}`, () =>
    withFolder(async (folder) => {
      const store = await openInFolder(folder);
      store.commit(consistentBatch(10));
      await store.close();
      const again = await openInFolder(folder);
      tamper(join(folder, 'test.db'), sql);
      const damage = await damageOf(again);
      assert.ok(
        damage.some((found) => found.kind === kind),
        JSON.stringify(damage),
      );
      await again.close();
    }));
}

test('a checkpoint does not wait for a check', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(40_000));
    const maintenance = new Maintenance(clock);
    const path = join(folder, 'test.db');
    const done: string[] = [];
    const run = (kind: 'check' | 'checkpoint'): Promise<number> =>
      maintenance.run(kind === 'check' ? { kind, path, damageMax: 1 } : { kind, path }).finally(() => done.push(kind));
    const checks = [run('check'), run('check')];
    await run('checkpoint');
    await run('checkpoint');
    await Promise.all(checks);
    assert.equal(done.at(-1), 'check', String(done));
    await maintenance.close();
    await store.close();
  }));

test('leaving a check early, or aborting it, ends it', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    store.commit(consistentBatch(10));
    for await (const damage of store.checkIntegrity()) assert.fail(JSON.stringify(damage));
    const reason = new Error('enough');
    const aborted = store.checkIntegrity({ signal: AbortSignal.abort(reason) });
    await assert.rejects(aborted.next(), reason);
    await store.close();
  }));

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

test('a removed or replaced file is noticed; a backup copies the open one and leaves the other unchanged', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const path = join(folder, 'test.db');
    store.commit(consistentBatch(20));
    assert.equal(await store.isInPlace(), true);
    rmSync(path);
    assert.equal(await store.isInPlace(), false);
    const other = 'somebody put another file here';
    writeFileSync(path, other);
    assert.equal(await store.isInPlace(), false);
    for (let n = 0; n < 20; n++) store.commit(consistentBatch(2000));
    await store.backup(join(folder, 'saved.db'));
    await store.close();
    assert.equal(readFileSync(path, 'utf8'), other);
    rmSync(path);
    await restoreSqliteFile({ backupPath: join(folder, 'saved.db'), path, pid: 1, clock });
    const again = await openInFolder(folder);
    assert.equal(again.documents(C, null, 3000).length, 2000);
    assert.ok(!readdirSync(folder).some((name) => name.endsWith('.open')));
    await again.close();
  }));

for (const removed of [['-wal'], ['-shm'], ['-redo'], ['-wal', '-shm', '-redo']])
  test(`logs removed while the database is open lose no commits: ${removed.join(', ')}`, () =>
    withFolder(async (folder) => {
      const store = await openInFolder(folder);
      const path = join(folder, 'test.db');
      let pos = 0;
      const write = (count: number): void => {
        for (const last = pos + count; pos < last; ) {
          const document = sampleDocument({ key: `k${++pos}`, pos });
          store.commit({ head: sampleHead({ seq: pos, pos }), documents: [document] });
        }
      };
      write(300);
      assert.ok(existsSync(`${path}-redo`));
      for (const suffix of removed) rmSync(path + suffix);
      assert.equal(await store.keepInPlace(), true);
      write(300);
      assert.equal(await store.keepInPlace(), true);
      const copy = join(folder, 'killed');
      mkdirSync(copy);
      for (const suffix of ['', '-wal', '-redo']) copyFileSync(path + suffix, join(copy, `test.db${suffix}`));
      const killed = await openInFolder(copy);
      assert.equal(killed.documents(C, null, 1000).length, 600);
      await killed.close();
      write(10);
      await store.close();
      const again = await openInFolder(folder);
      assert.equal(again.documents(C, null, 1000).length, 610);
      await again.close();
    }));

test('a reader that keeps removed logs from being replaced is logged once, and so is the later success', () =>
  withFolder(async (folder) => {
    const logged: string[] = [];
    const warn = (_details: object, message: string): void => void logged.push(message);
    const store = await openInFolder(folder, { logger: { ...silentLogger, warn, error: warn } });
    const path = join(folder, 'test.db');
    store.commit(consistentBatch(20));
    const reader = new DatabaseSync(path);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM doc').get();
    store.commit({ documents: [sampleDocument({ key: 'late', pos: 21 })] });
    rmSync(`${path}-shm`);
    for (let look = 0; look < 3; look++) assert.equal(await store.keepInPlace(), true);
    reader.close();
    for (let look = 0; look < 3; look++) assert.equal(await store.keepInPlace(), true);
    assert.deepEqual(logged, [
      'logs of the database were removed while it is open, and cannot be begun anew yet',
      'logs of the database were removed while it is open; new ones were begun, and nothing is lost',
    ]);
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

const isRoot = process.getuid?.() === 0 && 'root may write into every folder';
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
