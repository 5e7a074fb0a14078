import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../../../core/ids/index.ts';
import { type Fingerprint, FingerprintSum, type Version } from '../../../core/version/index.ts';
import type { KeyRange, Store, StoredDocument } from '../../store.ts';
import { documentCorruptError } from '../../store-errors.ts';
import { type DotTable, deltaRows } from './delta-rows.ts';
import type { CollectionDictionary, ReplicaDictionary } from './dictionary.ts';
import type { IndexTable } from './index-table.ts';
import { LIMITED } from './limited.ts';
import {
  DOCUMENT_COLUMNS,
  type DocumentColumns,
  documentColumns,
  documentSum,
  encodeContext,
  encodeLine,
  encodeStamps,
  RowDecoder,
  rowVersion,
} from './row-codec.ts';
import { ROWS_PER_STATEMENT, RowWriter } from './row-writer.ts';
import { SiblingTable } from './sibling-table.ts';

const ABSENT = `SELECT asked.value AS key FROM json_each(?) AS asked
  WHERE NOT EXISTS (SELECT 1 FROM doc WHERE coll = ? AND key = asked.value)`;

/** The header of a row says whether a value is NULL, so the value itself is not read. */
const UNSEEN = `SELECT asked.value AS key FROM json_each(?) AS asked
  WHERE NOT EXISTS (SELECT 1 FROM doc WHERE coll = ? AND key = asked.value AND value IS NOT NULL)`;

/** Table `doc`, and through it `sibling`. Documents and versions are verified when they are read. */
export class DocumentTable {
  readonly #db: DatabaseSync;
  readonly #collections: CollectionDictionary;
  readonly #replicas: ReplicaDictionary;
  readonly #indexes: IndexTable;
  readonly #decoder: RowDecoder;
  readonly #siblings: SiblingTable;
  readonly #statements = new Map<string, StatementSync>();
  readonly #rows: RowWriter;
  readonly #get: StatementSync;

  constructor(db: DatabaseSync, collections: CollectionDictionary, replicas: ReplicaDictionary, indexes: IndexTable) {
    this.#db = db;
    this.#indexes = indexes;
    this.#collections = collections;
    this.#replicas = replicas;
    this.#decoder = new RowDecoder(replicas);
    this.#siblings = new SiblingTable(db, replicas);
    this.#rows = new RowWriter(db);
    this.#get = this.#prepareArrays(`SELECT ${DOCUMENT_COLUMNS} FROM doc WHERE coll = ? AND key = ?`);
  }

  /** After a rollback. */
  reset(): void {
    this.#siblings.reset();
  }

  /** Documents that touch only their own row are written several per statement. Of two states of one document the later one stays. */
  putAll(documents: readonly StoredDocument[]): void {
    const areNew = documents.length < ROWS_PER_STATEMENT || !this.#isHeld(documents[0]!);
    const rows = this.#rows;
    rows.begin(areNew);
    for (const document of areNew ? documents : inOrderOfKeys(documents)) {
      const version = this.#isAlone(document) ? rowVersion(document) : undefined;
      if (version === undefined) {
        rows.flush();
        this.put(document);
      } else rows.added(this.#setColumns(rows.values, rows.end, document, version));
    }
    rows.flush();
  }

  put(document: StoredDocument): void {
    const coll = this.#collections.idOf(document.collection);
    const { key, value } = document;
    const indexes = this.#indexes.keptBy(coll);
    const former = indexes && this.#indexes.former(coll, key);
    if (this.#siblings.exist()) this.#siblings.delete(coll, key);
    const version = rowVersion(document);
    const columns: SQLInputValue[] = [];
    this.#setColumns(columns, 0, document, version);
    const id = this.#rows.write(columns);
    if (version === undefined) this.#siblings.insert(coll, key, document.versions);
    if (indexes !== undefined) {
      this.#indexes.change(indexes, key, former?.id ?? id, former?.value ?? null, value);
    }
  }

  /** Whether writing the row is all: no indexes to update, no siblings of former versions to delete. */
  #isAlone({ collection }: StoredDocument): boolean {
    return this.#indexes.keptBy(this.#collections.idOf(collection)) === undefined && !this.#siblings.exist();
  }

  #isHeld({ collection, key }: StoredDocument): boolean {
    const coll = this.#collections.knownId(collection);
    return (
      coll !== undefined && this.#prepare('SELECT 1 FROM doc WHERE coll = ? AND key = ?').get(coll, key) !== undefined
    );
  }

  /** Sets the columns of a row from index `at` on; returns the index after them. `version` undefined: the versions are in `sibling`. */
  #setColumns(columns: SQLInputValue[], at: number, document: StoredDocument, version: Version | undefined): number {
    const { collection, key, pos, deadAt, value, versions } = document;
    const { line, lineReplica } = encodeLine(document, version, this.#replicas);
    const elsewhere = version ? undefined : { value, digests: versions.map(({ digest }) => digest) };
    let end = at;
    columns[end++] = this.#collections.idOf(collection);
    columns[end++] = key;
    columns[end++] = pos;
    columns[end++] = version ? this.#replicas.idOf(version.replica) : null;
    columns[end++] = version ? version.seq : null;
    columns[end++] = version ? version.seq - version.first : null;
    columns[end++] = version ? version.hlc : null;
    columns[end++] = line;
    columns[end++] = lineReplica;
    columns[end++] = version ? encodeContext(version.context, this.#replicas) : null;
    columns[end++] = version ? encodeStamps(version.stamps, this.#replicas) : null;
    columns[end++] = deadAt;
    columns[end++] = version ? version.digest : null;
    columns[end++] = documentSum({ pos, line, line_replica: lineReplica, dead_at: deadAt }, elsewhere);
    columns[end++] = value;
    return end;
  }

  remove(collection: CollectionName, key: DocumentKey): void {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return;
    const indexes = this.#indexes.keptBy(coll);
    const former = indexes && this.#indexes.former(coll, key);
    if (indexes && former) this.#indexes.change(indexes, key, former.id, former.value, null);
    if (this.#siblings.exist()) this.#siblings.delete(coll, key);
    this.#prepare('DELETE FROM doc WHERE coll = ? AND key = ?').run(coll, key);
  }

  get(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    const coll = this.#collections.knownId(collection);
    const found = coll === undefined ? undefined : this.#get.get(coll, key);
    if (found === undefined) return undefined;
    const row = documentColumns(found);
    // The index led here, so a row that names another collection is damaged.
    if (row.coll !== coll) throw documentCorruptError(collection, key);
    return this.#decode(row);
  }

  /** Keys with NUL are left out if SQLite must search, since its JSON ends a text at a NUL. */
  absent(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return new Set(keys);
    // Imported, received, or time-sorted keys usually come after all existing ones.
    const last = this.#prepare('SELECT key FROM doc WHERE coll = ? ORDER BY key DESC LIMIT 1').get(coll)?.key;
    const isBehind = (key: DocumentKey): boolean => last === undefined || compareBytes(key, last as string) > 0;
    return keys.every(isBehind) ? new Set(keys) : this.#keysOf(ABSENT, coll, keys);
  }

  unseen(collection: CollectionName, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    const coll = this.#collections.knownId(collection);
    return coll === undefined ? new Set(keys) : this.#keysOf(UNSEEN, coll, keys);
  }

  #keysOf(query: string, coll: number, keys: readonly DocumentKey[]): ReadonlySet<DocumentKey> {
    const asked = JSON.stringify(keys.filter((key) => !key.includes('\u0000')));
    const rows = this.#prepare(query).all(asked, coll) as unknown as { readonly key: DocumentKey }[];
    return new Set(rows.map(({ key }) => key));
  }

  documents(
    collection: CollectionName,
    afterKey: DocumentKey | null,
    limit: number,
    except?: ReadonlySet<DocumentKey>,
  ): StoredDocument[] {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined || limit <= 0) return [];
    if (except === undefined || except.size === 0) return this.#inRange(coll, afterKey, null, limit);
    const found: StoredDocument[] = [];
    // Keys come from the index alone, so that unreadable rows in `except` are not touched.
    const rows = this.#prepare('SELECT key FROM doc WHERE coll = ? AND key > ? ORDER BY key');
    for (const { key } of rows.iterate(coll, afterKey ?? '') as Iterable<{ key: DocumentKey }>) {
      if (!except.has(key)) found.push(this.get(collection, key)!);
      if (found.length >= limit) break;
    }
    return found;
  }

  inRange(collection: CollectionName, range: KeyRange, limit: number): StoredDocument[] {
    const coll = this.#collections.knownId(collection);
    return coll === undefined || limit <= 0 ? [] : this.#inRange(coll, range.after, range.upTo, limit);
  }

  changes(afterPos: number, limit: number): StoredDocument[] {
    return this.#select(`pos > ? ORDER BY pos ${LIMITED}`, [afterPos, atMost(limit)]);
  }

  /** Names of the most recently changed documents, newest first, not verified. Rows of an unknown collection are left out. */
  newestKeys(limit: number): { collection: CollectionName; key: DocumentKey; pos: number }[] {
    const sql = `SELECT collection.name AS collection, key, pos FROM doc JOIN collection ON collection.id = coll
      ORDER BY pos DESC ${LIMITED}`;
    return this.#prepare(sql).all(limit) as { collection: CollectionName; key: DocumentKey; pos: number }[];
  }

  /** The document with this row id. Throws DOCUMENT_CORRUPT. */
  byRow(id: number): StoredDocument | undefined {
    return this.#select('id = ?', [id])[0];
  }

  /** Collections that have documents. */
  collections(): CollectionName[] {
    const next = this.#prepare('SELECT coll FROM doc WHERE coll > ? ORDER BY coll LIMIT 1');
    const found: CollectionName[] = [];
    for (let row = next.get(0); row !== undefined; row = next.get(row.coll as number)) {
      found.push(this.#collections.nameOf(row.coll as number));
    }
    return found;
  }

  /** Keys in order, from the index alone, so that damaged rows are not touched. */
  keys(collection: CollectionName, after: DocumentKey | null, limit: number): DocumentKey[] {
    const coll = this.#collections.knownId(collection);
    const rows = this.#prepare(`SELECT key FROM doc WHERE coll = ? AND key > ? ORDER BY key ${LIMITED}`);
    return coll === undefined ? [] : rows.all(coll, after ?? '', limit).map(({ key }) => key as DocumentKey);
  }

  dead(beforeMs: number, limit: number): StoredDocument[] {
    return this.#select(`dead_at < ? ORDER BY dead_at, pos ${LIMITED}`, [beforeMs, atMost(limit)]);
  }

  readonly delta: Store['delta'] = (collection, replica, afterSeq, limit, charactersMax = Number.POSITIVE_INFINITY) => {
    const coll = this.#collections.knownId(collection);
    const by = this.#replicas.knownId(replica);
    if (coll === undefined || by === undefined || limit <= 0) return [];
    const range = { coll, replica: by, afterSeq, limit: atMost(limit), charactersMax };
    return deltaRows((sql) => this.#prepareArrays(sql), this.#dotTables(), range).map((row) => ({
      collection,
      key: row.key,
      version: this.#decoder.version(collection, row),
    }));
  };

  liveReplicas(collection: CollectionName): ReplicaId[] {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return [];
    const found = new Set(this.#dotTables().flatMap((table) => this.#replicasIn(table, coll)));
    return [...found].map((id) => this.#replicas.nameOf(id)).sort(compareBytes);
  }

  nthKey(collection: CollectionName, after: DocumentKey | null, n: number): DocumentKey | undefined {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return undefined;
    const sql = 'SELECT key FROM doc WHERE coll = ? AND key > ? ORDER BY key LIMIT 1 OFFSET ?';
    const row = this.#prepare(sql).get(coll, after ?? '', Math.max(0, n - 1));
    return row?.key as DocumentKey | undefined;
  }

  fingerprints(collection: CollectionName, ranges: readonly KeyRange[]): Fingerprint[] {
    const coll = this.#collections.knownId(collection);
    return ranges.map((range) => {
      const sum = new FingerprintSum();
      if (coll !== undefined) this.#addDigests(sum, coll, range);
      return sum.value();
    });
  }

  /** Verified documents with their row ids, after a key, until either bound is reached. */
  rowsAfter(coll: number, after: DocumentKey | '', countMax: number, charactersMax: number): NumberedRow[] {
    const sql = `SELECT ${DOCUMENT_COLUMNS} FROM doc WHERE coll = ? AND key > ? ORDER BY key ${LIMITED}`;
    const found: NumberedRow[] = [];
    let characters = 0;
    for (const each of this.#prepareArrays(sql).iterate(coll, after, countMax)) {
      const row = documentColumns(each);
      found.push({ id: row.id, document: this.#decode(row) });
      characters += row.value?.length ?? 0;
      if (characters >= charactersMax) break;
    }
    return found;
  }

  /** The verified document of a row that the caller read as an array of `DOCUMENT_COLUMNS`. */
  decoded(row: unknown): StoredDocument {
    return this.#decode(documentColumns(row));
  }

  /** The values that readers see of a collection, not verified. */
  *textsOf(coll: number): Iterable<{ readonly key: DocumentKey; readonly value: string }> {
    const rows = this.#prepare('SELECT key, value FROM doc WHERE coll = ? AND value IS NOT NULL ORDER BY key');
    yield* rows.iterate(coll) as Iterable<unknown> as Iterable<{ key: DocumentKey; value: string }>;
  }

  /** Number of documents that readers see. */
  visible(collection: CollectionName): number {
    const coll = this.#collections.knownId(collection);
    if (coll === undefined) return 0;
    return this.#prepare('SELECT count(*) AS n FROM doc WHERE coll = ? AND value IS NOT NULL').get(coll)!.n as number;
  }

  #inRange(coll: number, after: DocumentKey | null, upTo: DocumentKey | null, limit: number): StoredDocument[] {
    // No key is empty, so every key is above the empty text.
    return upTo === null
      ? this.#select(`coll = ? AND key > ? ORDER BY key ${LIMITED}`, [coll, after ?? '', atMost(limit)])
      : this.#select(`coll = ? AND key > ? AND key <= ? ORDER BY key ${LIMITED}`, [
          coll,
          after ?? '',
          upTo,
          atMost(limit),
        ]);
  }

  #select(rest: string, parameters: readonly SQLInputValue[]): StoredDocument[] {
    const statement = this.#prepareArrays(`SELECT ${DOCUMENT_COLUMNS} FROM doc WHERE ${rest}`);
    return statement.all(...parameters).map((row) => this.decoded(row));
  }

  #decode(row: DocumentColumns): StoredDocument {
    const collection = this.#collections.nameOf(row.coll);
    return this.#decoder.document(collection, row, this.#siblings.of(collection, row));
  }

  /** The tables that can hold live versions. */
  #dotTables(): readonly DotTable[] {
    return this.#siblings.exist() ? ['doc', 'sibling'] : ['doc'];
  }

  #replicasIn(table: string, coll: number): number[] {
    const next = this.#prepare(
      `SELECT replica FROM ${table} WHERE coll = ? AND replica > ? AND replica IS NOT NULL ORDER BY replica LIMIT 1`,
    );
    const found: number[] = [];
    for (let row = next.get(coll, 0); row !== undefined; row = next.get(coll, found.at(-1)!)) {
      found.push(row.replica as number);
    }
    return found;
  }

  #addDigests(sum: FingerprintSum, coll: number, { after, upTo }: KeyRange): void {
    const bound = upTo === null ? '' : 'AND key <= ?';
    const parameters = upTo === null ? [coll, after ?? ''] : [coll, after ?? '', upTo];
    for (const table of this.#dotTables()) {
      const rows = this.#prepare(`SELECT fp FROM ${table} WHERE coll = ? AND key > ? ${bound} AND fp IS NOT NULL`);
      for (const row of rows.iterate(...parameters)) sum.add(row.fp as Uint8Array);
    }
  }

  #prepareArrays(sql: string): StatementSync {
    const statement = this.#prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** A document and its row id. */
export interface NumberedRow {
  readonly id: number;
  readonly document: StoredDocument;
}

/** Roughly the order in the file, so that replacing rows touches each page once, one page after the other. */
function inOrderOfKeys(documents: readonly StoredDocument[]): StoredDocument[] {
  return [...documents].sort((a, b) => order(a.collection, b.collection) || order(a.key, b.key));
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** For SQLite, a negative limit means none. */
function atMost(limit: number): number {
  return Number.isFinite(limit) ? Math.max(0, Math.floor(limit)) : -1;
}
