import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LIMITS } from '../../../core/config/index.ts';
import type { DamagedEntry, Entry, EntryRow, EntrySpace } from '../../store.ts';
import { LIMITED } from './limited.ts';
import { checkSum, rowSum } from './row-sum.ts';

interface StoredEntry extends Entry {
  readonly space: EntrySpace;
  readonly sum: number;
}

/** Table `entry`: the small side tables. */
export class EntryTable {
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #after: StatementSync;
  readonly #all: StatementSync;
  readonly #onDamaged: (entry: DamagedEntry) => void;

  constructor(db: DatabaseSync, onDamaged: (entry: DamagedEntry) => void) {
    this.#onDamaged = onDamaged;
    this.#put = db.prepare('INSERT OR REPLACE INTO entry(space, id, data, sum) VALUES(?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM entry WHERE space = ? AND id = ?');
    this.#after = db.prepare(
      `SELECT space, id, data, sum FROM entry WHERE space = ? AND id > ? ORDER BY id ${LIMITED}`,
    );
    this.#all = db.prepare('SELECT space, id, data, sum FROM entry');
  }

  put({ space, id, data }: EntryRow): void {
    if (data === null) this.#delete.run(space, id);
    else this.#put.run(space, id, data, rowSum(space, id, data));
  }

  after(space: EntrySpace, afterId: number, limit: number): Entry[] {
    const found: Entry[] = [];
    for (let last = afterId; found.length < limit; ) {
      const wanted = Number.isFinite(limit) ? limit - found.length : -1;
      const rows = this.#after.all(space, last, wanted) as unknown as StoredEntry[];
      for (const row of rows) {
        if (isSound(row)) found.push({ id: row.id, data: row.data });
        else this.#onDamaged(damagedEntry(row));
      }
      if (rows.length < wanted || wanted === -1) break;
      last = rows.at(-1)!.id;
    }
    return found;
  }

  /** The damaged entries of all spaces. */
  damaged(): DamagedEntry[] {
    const rows = this.#all.iterate() as Iterable<unknown> as Iterable<StoredEntry>;
    const found: DamagedEntry[] = [];
    for (const row of rows) if (!isSound(row) && found.length <= LIMITS.damageListMax) found.push(damagedEntry(row));
    return found;
  }
}

function isSound({ space, id, data, sum }: StoredEntry): boolean {
  return sum === rowSum(space, id, data);
}

function damagedEntry({ space, id }: StoredEntry): DamagedEntry {
  return { space, id, problem: `entry ${id} of ${space} does not fit its sum` };
}

interface MetaRow {
  readonly k: string;
  readonly v: string;
  readonly sum: number;
}

/**
 * Texts that the store itself keeps in `meta`. `sealed`: the file is a copy and needs a new replica id (R9 at open).
 * `commits`: number of commits in the file, so that records of the redo log are applied only once.
 */
export type StoreMeta = 'generation' | 'fingerprint' | 'origin' | 'sealed' | 'gone-from' | 'commits';

/** Prefix of the engine's names. The store's own names have none. */
const ENGINE = 'engine.';

/** Table `meta`: texts by name. */
export class MetaTable {
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #get: StatementSync;
  readonly #all: StatementSync;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare('INSERT OR REPLACE INTO meta(k, v, sum) VALUES(?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM meta WHERE k = ?');
    this.#get = db.prepare('SELECT k, v, sum FROM meta WHERE k = ?');
    this.#all = db.prepare('SELECT k, v, sum FROM meta');
  }

  get(name: StoreMeta): string | undefined {
    const row = this.#get.get(name) as MetaRow | undefined;
    return row && verifiedMeta(row);
  }

  set(name: StoreMeta, text: string | null): void {
    this.#write(name, text);
  }

  setEngine(name: string, text: string | null): void {
    this.#write(ENGINE + name, text);
  }

  getEngine(name: string): string | undefined {
    const row = this.#get.get(ENGINE + name) as MetaRow | undefined;
    return row && verifiedMeta(row);
  }

  /** Whether there is such a text of the engine, damaged or not. */
  hasEngine(name: string): boolean {
    return this.#get.get(ENGINE + name) !== undefined;
  }

  /** All texts of the engine. Throws if any text in the table is damaged. */
  engine(): Map<string, string> {
    const found = new Map<string, string>();
    for (const row of this.#all.all() as unknown as MetaRow[]) {
      const text = verifiedMeta(row);
      if (row.k.startsWith(ENGINE)) found.set(row.k.slice(ENGINE.length), text);
    }
    return found;
  }

  #write(name: string, text: string | null): void {
    if (text === null) this.#delete.run(name);
    else this.#put.run(name, text, rowSum(name, text));
  }
}

function verifiedMeta({ k, v, sum }: MetaRow): string {
  checkSum(sum, rowSum(k, v), `the text ${k}`);
  return v;
}
