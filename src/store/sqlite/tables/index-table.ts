import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { compareBytes, type DocumentKey } from '../../../core/ids/index.ts';
import { indexEntries, type JsonValue } from '../../../core/query/index.ts';
import { entrySums } from './entry-sum.ts';
import { type HeldIndex, IndexRows } from './index-rows.ts';
import type { IndexRun, RunEntry } from './index-run.ts';

/** A row of `doc` before it is written or removed. */
export interface FormerRow {
  readonly id: number;
  readonly value: string | null;
}

const PUT = `INSERT INTO idx_entry(idx, k, key, doc, sum) VALUES(?, ?, ?, ?, ?)
  ON CONFLICT(idx, k, key) DO UPDATE SET doc = excluded.doc, sum = excluded.sum`;

function hexOf(k: Buffer): string {
  return k.toString('hex').toUpperCase();
}

/** Comparing with so few keys costs less than making a set of them. */
const FEW_KEYS = 4;

/** Table `idx_entry`: keeps indexes up to date with the rows of `doc`. Without an index, that costs one lookup in a map. */
export class IndexTable {
  readonly rows: IndexRows;
  /** Entries collected for indexes that are being built. Writes to its collection take out what they change. */
  run: IndexRun | undefined;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #kept: ReadonlyMap<number, readonly HeldIndex[]> | undefined;
  #keptOf: ReadonlyMap<number, HeldIndex> | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.rows = new IndexRows(db);
  }

  /** After a rollback. */
  reset(): void {
    this.rows.reset();
    this.run = undefined;
  }

  /** The indexes that writes to the collection keep up to date; undefined: none. */
  keptBy(coll: number): readonly HeldIndex[] | undefined {
    const all = this.rows.all();
    if (all.size === 0) return undefined;
    if (this.#kept === undefined || this.#keptOf !== all) {
      const kept = [...all.values()].filter(({ state }) => state !== 'dropping');
      this.#kept = Map.groupBy(kept, (index) => index.coll);
      this.#keptOf = all;
    }
    return this.#kept.get(coll);
  }

  former(coll: number, key: DocumentKey): FormerRow | undefined {
    return this.#prepare('SELECT id, value FROM doc WHERE coll = ? AND key = ?').get(coll, key) as
      | FormerRow
      | undefined;
  }

  /** Updates the entries of a document from the former value of its row to the new one; null: no value. */
  change(indexes: readonly HeldIndex[], key: DocumentKey, id: number, before: string | null, now: string | null): void {
    const entering = now === null ? [] : indexes.filter((index) => !this.#isAhead(index, key));
    const next = entering.length === 0 ? undefined : (JSON.parse(now!) as JsonValue);
    const last = before === null || before === now ? undefined : parseFormer(before);
    for (const index of indexes) {
      if (this.run?.indexIds.has(index.id)) this.run.forget(key);
      const kept = entering.includes(index) ? indexEntries(index.definition, next!) : [];
      if (last === 'unreadable') this.#removeAll(index, key);
      else if (last !== undefined) this.#removeOthers(index, key, indexEntries(index.definition, last.value), kept);
      const sumOf = entrySums(key, now ?? '', kept.length);
      for (const k of kept) this.#prepare(PUT).run(index.id, k, key, id, sumOf(hexOf(k)));
    }
  }

  /** The entries that a document is to have in these indexes. */
  entriesFor(indexes: readonly HeldIndex[], key: DocumentKey, doc: number, value: string): RunEntry[] {
    const document = JSON.parse(value) as JsonValue;
    return indexes.flatMap(({ id, definition }) => {
      const hexes = indexEntries(definition, document).map(hexOf);
      const sumOf = entrySums(key, value, hexes.length);
      return hexes.map((hex) => ({ idx: id, hex, key, doc, sum: sumOf(hex) }));
    });
  }

  enter({ idx, hex, key, doc, sum }: RunEntry): void {
    this.#prepare(PUT).run(idx, Buffer.from(hex, 'hex'), key, doc, sum);
  }

  /** Removes the first `count` entries of an index; false: none is left. */
  removeSome(id: number, count: number): boolean {
    const last = this.#prepare('SELECT k, key FROM idx_entry WHERE idx = ? ORDER BY k, key LIMIT 1 OFFSET ?').get(
      id,
      count,
    );
    if (last === undefined) {
      this.#prepare('DELETE FROM idx_entry WHERE idx = ?').run(id);
      return false;
    }
    this.#prepare('DELETE FROM idx_entry WHERE idx = ? AND (k, key) < (?, ?)').run(id, last.k!, last.key!);
    return true;
  }

  /** Number of entries of a document in an index; undefined: some that it should have are missing or do not fit. */
  held(index: HeldIndex, key: DocumentKey, value: string): number | undefined {
    const get = this.#prepare('SELECT sum FROM idx_entry WHERE idx = ? AND k = ? AND key = ?');
    const keys = indexEntries(index.definition, JSON.parse(value) as JsonValue);
    const sumOf = entrySums(key, value, keys.length);
    return keys.every((k) => get.get(index.id, k, key)?.sum === sumOf(hexOf(k))) ? keys.length : undefined;
  }

  entriesOf(index: HeldIndex): number {
    return this.#prepare('SELECT count(*) AS n FROM idx_entry WHERE idx = ?').get(index.id)!.n as number;
  }

  /** The build has not reached the document yet, and will enter it. */
  #isAhead({ id, state, after }: HeldIndex, key: DocumentKey): boolean {
    if (state !== 'building') return state === 'emptying';
    if (this.run?.indexIds.has(id)) return !this.run.hasPassed(key);
    return after === null || compareBytes(key, after as DocumentKey) > 0;
  }

  #removeOthers({ id }: HeldIndex, key: DocumentKey, before: readonly Buffer[], kept: readonly Buffer[]): void {
    const isKept = lookup(kept);
    for (const k of before) {
      if (isKept(k)) continue;
      this.#prepare('DELETE FROM idx_entry WHERE idx = ? AND k = ? AND key = ?').run(id, k, key);
    }
  }

  /** For a former value that cannot be parsed: nobody knows under which keys it was entered. */
  #removeAll({ id }: HeldIndex, key: DocumentKey): void {
    this.#prepare('DELETE FROM idx_entry WHERE idx = ? AND key = ?').run(id, key);
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

/** Answers whether a key is among these. */
function lookup(keys: readonly Buffer[]): (k: Buffer) => boolean {
  if (keys.length <= FEW_KEYS) return (k) => keys.some((each) => each.equals(k));
  const held = new Set(keys.map(hexOf));
  return (k) => held.has(hexOf(k));
}

function parseFormer(text: string): { readonly value: JsonValue } | 'unreadable' {
  try {
    return { value: JSON.parse(text) as JsonValue };
  } catch {
    return 'unreadable';
  }
}
