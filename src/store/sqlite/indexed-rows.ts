import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DocumentTable } from './document-table.ts';

/** Rows at the end of the table that every index must know. */
const ROWS_MAX = 100;

type Row = Readonly<Record<'id' | 'coll' | 'pos' | 'replica' | 'seq', number>> & { readonly key: string };

/**
 * Whether SQLite's own indexes lead to the rows that were made last. The rows are met in the order of the table itself: a page of an
 * index that was exchanged for one of another index passes for an empty one. Rows that are damaged themselves do not count.
 * False, too, where an index cannot be read.
 */
export function areLastRowsIndexed(db: DatabaseSync, documents: DocumentTable): boolean {
  try {
    const rows = db.prepare('SELECT id, coll, key, pos, replica, seq FROM doc NOT INDEXED ORDER BY id DESC LIMIT ?');
    const lookups = [
      { find: db.prepare('SELECT id FROM doc INDEXED BY doc_key WHERE coll = ? AND key = ?'), of: keyOf },
      { find: db.prepare('SELECT id FROM doc INDEXED BY doc_pos WHERE pos = ?'), of: posOf },
      {
        find: db.prepare('SELECT id FROM doc INDEXED BY doc_dot WHERE coll = ? AND replica = ? AND seq = ?'),
        of: dotOf,
      },
    ];
    const found = rows.all(ROWS_MAX) as unknown as Row[];
    return found.every((row) => !isSound(documents, row) || lookups.every((lookup) => leadsTo(row, lookup)));
  } catch {
    // What a new index cannot mend, its making will say.
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

function isSound(documents: DocumentTable, { id }: Row): boolean {
  try {
    return documents.byRow(id) !== undefined;
  } catch {
    // Whoever reads this document is told so.
    return false;
  }
}
