/**
 * Goal: a check that is kept from reading reports no damage, since repair would remove good documents and people would
 * restore a backup.
 * Method: a healthy file without a write-ahead log, locked by another connection at each step of a check.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sampleDocument, sampleHead } from '../../../testing/index.ts';
import type { Damage } from '../../store.ts';
import { openInFolder, withFolder } from '../test-folder.ts';
import { checkDatabase } from './check-database.ts';

const STATEMENTS_MAX = 10_000;

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
