import { DatabaseSync } from 'node:sqlite';
import type { Damage } from '../../store.ts';
import { IndexRows } from '../tables/index.ts';

/** Numbers of the indexes that a check found damaged. */
export function damagedIndexes(damage: readonly Damage[]): number[] {
  return damage.flatMap((each) => (each.kind === 'index' ? [each.indexId] : []));
}

/**
 * Marks indexes of a database that nobody has open: whoever opens it makes them anew. So a copy is good although an index of
 * the original rotted, for all that an index says is in the documents.
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
