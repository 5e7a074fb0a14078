import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { type BenchDocument, COLLECTION } from '../documents.ts';
import type { Durability, RawChange, RawStore, ReceivingStore } from './raw-store.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS doc(id INTEGER PRIMARY KEY, coll INTEGER NOT NULL, key TEXT NOT NULL, pos INTEGER NOT NULL,
    replica INTEGER, seq INTEGER, first INTEGER, hlc INTEGER, fp BLOB NOT NULL, value TEXT) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS doc_key ON doc(coll, key);
  CREATE INDEX IF NOT EXISTS doc_dot ON doc(coll, replica, seq) WHERE replica IS NOT NULL;
  CREATE INDEX IF NOT EXISTS doc_pos ON doc(pos);`;

const RANGE = `
  SELECT value FROM doc INDEXED BY price
  WHERE coll = 1 AND json_extract(value, '$.price') >= ? AND json_extract(value, '$.price') < ?
  ORDER BY json_extract(value, '$.price')`;

/** Baseline `row`, the limit of our own layout: per write, one upsert of a row with indexes on key, dot and change. */
export function openRowStore(path: string, durability: Durability): RawStore & ReceivingStore {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA cache_size = -16384; ${SCHEMA}`);
  const upsert = db.prepare(
    `INSERT INTO doc(coll, key, pos, replica, seq, first, hlc, fp, value) VALUES (1, ?, ?, 1, ?, ?, ?, ?, ?)
     ON CONFLICT(coll, key) DO UPDATE SET pos = excluded.pos, seq = excluded.seq, hlc = excluded.hlc, fp = excluded.fp,
       value = excluded.value`,
  );
  const get = db.prepare('SELECT value FROM doc WHERE coll = 1 AND key = ?');
  const after = db.prepare('SELECT pos, key, value, hex(fp) AS fp FROM doc WHERE pos > ? ORDER BY pos LIMIT ?');
  let pos = (db.prepare('SELECT max(pos) AS pos FROM doc').get() as { pos: number | null }).pos ?? 0;

  const digestOf = (seq: number, key: string, text: string) =>
    hash('sha256', `${COLLECTION}|${key}|1|${seq}|${text}`, 'buffer').subarray(0, 16);

  function put(seq: number, key: string, text: string, digest: Uint8Array): void {
    pos++;
    upsert.run(key, pos, seq, seq, seq, digest, text);
  }

  function commit(work: () => void): void {
    db.exec('BEGIN IMMEDIATE');
    work();
    db.exec('COMMIT');
  }

  return {
    write(documents: readonly BenchDocument[]) {
      commit(() => {
        for (const { key, text } of documents) put(pos + 1, key, text, digestOf(pos + 1, key, text));
      });
    },
    receive(changes: readonly RawChange[]) {
      commit(() => {
        for (const { position, key, text, digest } of changes) {
          const own = digestOf(position, key, text);
          if (own.toString('hex').toUpperCase() !== digest) throw new Error(`the digest of ${key} is wrong`);
          put(position, key, text, own);
        }
      });
    },
    read: (key) => (get.get(key) as { value: string } | undefined)?.value,
    indexPrices: () => db.exec("CREATE INDEX price ON doc(json_extract(value, '$.price')) WHERE coll = 1"),
    priceRange: (from, to) =>
      db
        .prepare(RANGE)
        .all(from, to)
        .map((row) => row.value as string),
    since: (position, limit) =>
      after.all(position, limit).map((row) => ({
        position: row.pos as number,
        key: row.key as string,
        text: row.value as string,
        digest: row.fp as string,
      })),
    position: () => pos,
    close: () => db.close(),
  };
}
