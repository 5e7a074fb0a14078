import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { type BenchDocument, COLLECTION } from '../documents.ts';
import type { Durability, RawChange, RawStore, ReceivingStore } from './raw-store.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS document(collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT, hlc INTEGER NOT NULL,
    PRIMARY KEY(collection, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS log(seq INTEGER PRIMARY KEY, collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT,
    hlc INTEGER NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL) STRICT;`;

const RANGE = `
  SELECT value FROM document INDEXED BY price
  WHERE collection = ? AND json_extract(value, '$.price') >= ? AND json_extract(value, '$.price') < ?
  ORDER BY json_extract(value, '$.price')`;

const GENESIS = '0'.repeat(64);

/** Baseline `chained`, the layout of the .NET original: per write, a document row and a row of a SHA-256-chained log. */
export function openChainedStore(path: string, durability: Durability): RawStore & ReceivingStore {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA cache_size = -16384; ${SCHEMA}`);
  const upsert = db.prepare(
    'INSERT INTO document VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, hlc = excluded.hlc',
  );
  const append = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)');
  const get = db.prepare('SELECT value FROM document WHERE collection = ? AND key = ?');
  const after = db.prepare('SELECT seq, key, value, hlc, hash FROM log WHERE seq > ? ORDER BY seq LIMIT ?');
  const last = db.prepare('SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1');
  let { seq, hash: head } = (last.get() as { seq: number; hash: string } | undefined) ?? { seq: 0, hash: GENESIS };

  const link = (hlc: number, key: string, text: string) =>
    hash('sha256', `${head}|${hlc}|${COLLECTION}|${key}|${text}`);

  function put(key: string, text: string, digest: string): void {
    const hlc = ++seq;
    upsert.run(COLLECTION, key, text, hlc);
    append.run(seq, COLLECTION, key, text, hlc, head, digest);
    head = digest;
  }

  function commit(work: () => void): void {
    db.exec('BEGIN IMMEDIATE');
    work();
    db.exec('COMMIT');
  }

  return {
    write(documents: readonly BenchDocument[]) {
      commit(() => {
        for (const { key, text } of documents) put(key, text, link(seq + 1, key, text));
      });
    },
    receive(changes: readonly RawChange[]) {
      commit(() => {
        for (const { position, key, text, digest } of changes) {
          if (link(position, key, text) !== digest) throw new Error(`the chain breaks at ${position}`);
          put(key, text, digest);
        }
      });
    },
    read: (key) => (get.get(COLLECTION, key) as { value: string } | undefined)?.value,
    indexPrices: () => db.exec("CREATE INDEX price ON document(collection, json_extract(value, '$.price'))"),
    priceRange: (from, to) =>
      db
        .prepare(RANGE)
        .all(COLLECTION, from, to)
        .map((row) => row.value as string),
    since: (position, limit) =>
      after.all(position, limit).map((row) => ({
        position: row.seq as number,
        key: row.key as string,
        text: row.value as string,
        digest: row.hash as string,
      })),
    position: () => seq,
    close: () => db.close(),
  };
}
