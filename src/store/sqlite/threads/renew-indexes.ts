import { DatabaseSync } from 'node:sqlite';
import type { Damage } from '../../store.ts';
import { IndexRows } from '../tables/index.ts';

/** Ids of the indexes that a check found damaged. */
export function damagedIndexes(damage: readonly Damage[]): number[] {
  return damage.flatMap((each) => (each.kind === 'index' ? [each.indexId] : []));
}

/**
 * Marks indexes of a database that nobody has open, so that the next opening rebuilds them from the documents. A copy is thus
 * good even if an index of the original rotted.
 */
export function renewIndexes(path: string, ids: readonly number[]): void {
  if (ids.length === 0) return;
  const db = new DatabaseSync(path);
  try {
    const rows = new IndexRows(db);
    db.exec('BEGIN');
    for (const index of rows.all().values()) {
      if (ids.includes(index.id)) rows.put({ ...index, state: 'emptying', after: null, done: 0 });
    }
    db.exec('COMMIT');
  } finally {
    db.close();
  }
}
