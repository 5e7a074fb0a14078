import type { DatabaseSync } from 'node:sqlite';
import { readPragma } from '../read-pragma.ts';

/** `EGDB` in the file's header marks the file as ours. */
export const APPLICATION_ID = 0x45474442;

/**
 * Tables of format 1.
 *
 * - `state` is one small b-tree for everything that changes with nearly every commit, so that a commit dirties one page for
 *   all of it. Row (0, 0) is the head, (c, 0) a collection, (c, r) the knowledge of collection c about replica r and its purge
 *   line. Rows (-1, seq) are this replica's chain; the newest of them is next to the head.
 * - `doc` holds one row per document. A single live version sits in the row itself, and its text is what readers see. Any
 *   other document has `replica` NULL, its versions in `sibling`, and in `value` what the resolver made of them.
 * - `span` is seq − first. `line` is the document's own line: NULL none, 0 the one of the row's version.
 * - `fp` is the version's digest. `sum` guards what no digest covers: `row-sum.ts`.
 */
const FORMAT_1 = `
CREATE TABLE meta(k TEXT PRIMARY KEY, v TEXT NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE replica(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sum INTEGER NOT NULL) STRICT;
CREATE TABLE collection(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sum INTEGER NOT NULL) STRICT;
CREATE TABLE state(coll INTEGER NOT NULL, replica INTEGER NOT NULL, seq INTEGER, chk TEXT, purged INTEGER, data TEXT,
  sum INTEGER NOT NULL, PRIMARY KEY(coll, replica)) STRICT, WITHOUT ROWID;
CREATE TABLE doc(id INTEGER PRIMARY KEY, coll INTEGER NOT NULL, key TEXT NOT NULL, pos INTEGER NOT NULL,
  replica INTEGER, seq INTEGER, span INTEGER, hlc INTEGER, line INTEGER, line_replica INTEGER, ctx BLOB, stamps TEXT,
  dead_at INTEGER, fp BLOB, sum INTEGER NOT NULL, value TEXT) STRICT;
CREATE UNIQUE INDEX doc_key ON doc(coll, key);
CREATE INDEX doc_dot ON doc(coll, replica, seq) WHERE replica IS NOT NULL;
CREATE INDEX doc_pos ON doc(pos);
CREATE INDEX doc_dead ON doc(dead_at, pos) WHERE dead_at IS NOT NULL;
CREATE TABLE sibling(doc INTEGER NOT NULL, coll INTEGER NOT NULL, key TEXT NOT NULL, replica INTEGER NOT NULL,
  seq INTEGER NOT NULL, span INTEGER NOT NULL, hlc INTEGER NOT NULL, ctx BLOB, stamps TEXT, format INTEGER NOT NULL,
  fp BLOB NOT NULL, value TEXT, PRIMARY KEY(doc, replica, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX sibling_dot ON sibling(coll, replica, seq);
CREATE TABLE gone(pos INTEGER PRIMARY KEY, coll INTEGER NOT NULL, key TEXT NOT NULL, why TEXT NOT NULL,
  since INTEGER, sum INTEGER NOT NULL) STRICT;
CREATE TABLE entry(space TEXT NOT NULL, id INTEGER NOT NULL, data TEXT NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY(space, id)) STRICT, WITHOUT ROWID;
`;

/**
 * Format 2 adds tables for this node's own indexes. `options` says what is indexed. While an index is built, `after` is the
 * last key that was entered and `done` the number of documents. An entry leads from a key (`index-key.ts`) to a row of `doc`.
 * Its `sum` covers the key, the document's key, and the value that readers see, so that an entry that does not fit its row is
 * noticed.
 */
const FORMAT_2 = `
CREATE TABLE idx(id INTEGER PRIMARY KEY, coll INTEGER NOT NULL, name TEXT NOT NULL, options TEXT NOT NULL, state TEXT NOT NULL,
  after TEXT, done INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE TABLE idx_entry(idx INTEGER NOT NULL, k BLOB NOT NULL, key TEXT NOT NULL, doc INTEGER NOT NULL, sum INTEGER NOT NULL,
  PRIMARY KEY(idx, k, key)) STRICT, WITHOUT ROWID;
`;

/**
 * Format 3 has the tables of format 2. But after a crash, some commits may be only in the redo log beside the file, which
 * earlier releases do not know, so they must not open it.
 */
const FORMAT_3 = '';

/** Entry n turns a file of format n into one of format n + 1. A format that was ever published is never edited. */
const MIGRATIONS: readonly string[] = [FORMAT_1, FORMAT_2, FORMAT_3];

/** Newest format that this release can read and write. */
export const FORMAT = MIGRATIONS.length;

/** `user_version` holds the format, and above it a mark of the file's content (`MainMark`), in multiples of this. */
export const FORMAT_NUMBERS = 256;

export function formatOf(userVersion: number): number {
  return userVersion % FORMAT_NUMBERS;
}

/** Upgrades a file of an older format, or an empty one, to the newest format in one transaction. */
export function migrate(db: DatabaseSync): void {
  const format = formatOf(readPragma(db, 'user_version'));
  if (format >= FORMAT) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const step of MIGRATIONS.slice(format)) db.exec(step);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`);
  } catch (error) {
    // SQLite itself has rolled back when the disk is full; another failure here would hide that one.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
