import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DocumentTable } from './document-table.ts';
import { LIMITED } from './limited.ts';

/** Rows at the end of the table that every index must lead to. */
const ROWS_MAX = 100;

type Row = Readonly<Record<'id' | 'coll' | 'pos' | 'replica' | 'seq', number>> & { readonly key: string };

/**
 * Whether SQLite's own indexes lead to the rows that were inserted last. The rows are read from the table itself, because a
 * page of an index that was swapped with one of another index looks like an empty one. False if an index cannot be read. True
 * if any of the rows is damaged: rebuilding indexes from a damaged table would hide what it lost.
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
  /** Values to look up; undefined: the index leaves out such rows. */
  readonly of: (row: Row) => (string | number)[] | undefined;
}

const keyOf = ({ coll, key }: Row) => [coll, key];
const posOf = ({ pos }: Row) => [pos];
const dotOf = ({ coll, replica, seq }: Row) => (replica === null ? undefined : [coll, replica, seq]);

function leadsTo(row: Row, { find, of }: Lookup): boolean {
  const values = of(row);
  return values === undefined || find.all(...values).some(({ id }) => id === row.id);
}

/** The last rows; none if one of them, or the table, cannot be read, which reads of documents report. */
function soundRows(db: DatabaseSync, documents: DocumentTable): Row[] {
  const last = `SELECT id, coll, key, pos, replica, seq FROM doc NOT INDEXED ORDER BY id DESC ${LIMITED}`;
  try {
    const rows = db.prepare(last).all(ROWS_MAX) as unknown as Row[];
    // A page from elsewhere in the table brings its own rows, under ids that belong to other rows.
    const isSound = ({ id, key, pos }: Row): boolean => {
      const document = documents.byRow(id);
      return document?.key === key && document.pos === pos;
    };
    return rows.every(isSound) ? rows : [];
  } catch {
    return [];
  }
}
