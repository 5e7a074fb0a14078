import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DocumentTable } from './document-table.ts';
import { LIMITED } from './limited.ts';

/** Rows at the end of the table that every index must know. */
const ROWS_MAX = 100;

type Row = Readonly<Record<'id' | 'coll' | 'pos' | 'replica' | 'seq', number>> & { readonly key: string };

/**
 * Whether SQLite's own indexes lead to the rows that were made last. The rows are met in the order of the table itself: a page of an
 * index that was exchanged for one of another index passes for an empty one. An index that cannot be read does not. Rows that are
 * damaged themselves do not count: indexes that are made of a damaged table would hide what it lost.
 */
export function areLastRowsIndexed(db: DatabaseSync, documents: DocumentTable): boolean {
  const lookups = [
    { find: db.prepare('SELECT id FROM doc INDEXED BY doc_key WHERE coll = ? AND key = ?'), of: keyOf },
    { find: db.prepare('SELECT id FROM doc INDEXED BY doc_pos WHERE pos = ?'), of: posOf },
    { find: db.prepare('SELECT id FROM doc INDEXED BY doc_dot WHERE coll = ? AND replica = ? AND seq = ?'), of: dotOf },
  ];
  const rows = soundRows(db, documents);
  try {
    return rows.every((row) => lookups.every((lookup) => leadsTo(row, lookup)));
  } catch {
    return false;
  }
}

interface Lookup {
  readonly find: StatementSync;
  /** Undefined: the index leaves such rows out. */
  readonly of: (row: Row) => (string | number)[] | undefined;
}

const keyOf = ({ coll, key }: Row) => [coll, key];
const posOf = ({ pos }: Row) => [pos];
const dotOf = ({ coll, replica, seq }: Row) => (replica === null ? undefined : [coll, replica, seq]);

function leadsTo(row: Row, { find, of }: Lookup): boolean {
  const values = of(row);
  return values === undefined || find.all(...values).some(({ id }) => id === row.id);
}

/** None where the table cannot be read: whoever reads its documents is told so. */
function soundRows(db: DatabaseSync, documents: DocumentTable): Row[] {
  const last = `SELECT id, coll, key, pos, replica, seq FROM doc NOT INDEXED ORDER BY id DESC ${LIMITED}`;
  try {
    const rows = db.prepare(last).all(ROWS_MAX) as unknown as Row[];
    // A foreign page in the table has rows of its own, under numbers that other rows have.
    const isSound = ({ id, key, pos }: Row): boolean => {
      const document = documents.byRow(id);
      return document?.key === key && document.pos === pos;
    };
    return rows.every(isSound) ? rows : [];
  } catch {
    return [];
  }
}
