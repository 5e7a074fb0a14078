/**
 * Goal: a check names what is damaged and nothing else. One that is kept from reading reports no damage, since repair would
 * remove good documents and people would restore a backup.
 * Method: real files; rows changed behind the store's back, writes meanwhile, and a file without a write-ahead log that
 * another connection locks at each step of a check.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { parseCollectionName, parseDocumentKey } from '../../../core/ids/index.ts';
import { FingerprintSum } from '../../../core/version/index.ts';
import { createManualClock, sampleDocument, sampleHead, sampleReplica } from '../../../testing/index.ts';
import type { Damage } from '../../store.ts';
import { consistentBatch, openInFolder, tamper, withFolder } from '../test-folder.ts';
import { checkDatabase } from './check-database.ts';
import { JobThreads } from './job-threads.ts';

const C = parseCollectionName('c');
const clock = createManualClock();
const STATEMENTS_MAX = 10_000;

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
    const threads = new JobThreads(clock);
    const path = join(folder, 'test.db');
    const done: string[] = [];
    const run = (kind: 'check' | 'checkpoint'): Promise<number> =>
      threads.run(kind === 'check' ? { kind, path, damageMax: 1 } : { kind, path }).finally(() => done.push(kind));
    const checks = [run('check'), run('check')];
    await run('checkpoint');
    await run('checkpoint');
    await Promise.all(checks);
    assert.equal(done.at(-1), 'check', String(done));
    await threads.close();
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

test('a check of a file that becomes locked meanwhile fails and reports no damage', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { walMode: false });
    const documents = Array.from({ length: 3 }, (_, i) => sampleDocument({ key: `k${i}`, pos: i + 1 }));
    store.commit({ head: sampleHead({ seq: 3, pos: 3 }), documents });
    await store.close();
    const path = join(folder, 'test.db');
    const sound = damageWhenLocked(path, STATEMENTS_MAX);
    assert.ok(sound.transactions > 5, `${sound.transactions} transactions`);
    for (let locked = 0; locked < sound.transactions; locked++) {
      const { damage, error } = damageWhenLocked(path, locked);
      assert.deepEqual(damage, sound.damage, `locked before transaction ${locked}`);
      assert.match(String(error), /database is locked/, `locked before transaction ${locked}`);
    }
  }));

/** Result of a check of a file that another connection locks before the check's transaction number `lockedFrom`. */
function damageWhenLocked(path: string, lockedFrom: number) {
  const [db, other] = [new DatabaseSync(path, { timeout: 0 }), new DatabaseSync(path)];
  const damage: Damage[] = [];
  let transactions = 0;
  const exec = db.exec.bind(db);
  db.exec = (sql) => {
    if (sql === 'BEGIN' && transactions++ === lockedFrom) other.exec('BEGIN EXCLUSIVE');
    exec(sql);
  };
  try {
    const context = {
      isStopped: () => false,
      onProgress: () => {},
      onFound: () => {},
      onDamage: (found: Damage) => void damage.push(found),
    };
    checkDatabase(db, context);
    return { damage, transactions, error: undefined };
  } catch (error) {
    return { damage, transactions, error };
  } finally {
    db.close();
    other.close();
  }
}

async function damageOf(store: { checkIntegrity(): AsyncIterable<Damage> }): Promise<Damage[]> {
  const found: Damage[] = [];
  for await (const damage of store.checkIntegrity()) found.push(damage);
  return found;
}
