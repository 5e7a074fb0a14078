import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DatabaseCorruptionError } from '../../core/errors/index.ts';
import type { Entry, EntryRow, EntrySpace } from '../store.ts';
import { rowSum } from './row-sum.ts';

/** Table `entry`: the small side tables. */
export class EntryTable {
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #after: StatementSync;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare('INSERT OR REPLACE INTO entry(space, id, data, sum) VALUES(?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM entry WHERE space = ? AND id = ?');
    this.#after = db.prepare('SELECT id, data, sum FROM entry WHERE space = ? AND id > ? ORDER BY id LIMIT ?');
  }

  put({ space, id, data }: EntryRow): void {
    if (data === null) this.#delete.run(space, id);
    else this.#put.run(space, id, data, rowSum(space, id, data));
  }

  after(space: EntrySpace, afterId: number, limit: number): Entry[] {
    return this.#after.all(space, afterId, Number.isFinite(limit) ? limit : -1).map((row) => {
      const id = row.id as number;
      const data = row.data as string;
      if (row.sum !== rowSum(space, id, data)) {
        throw new DatabaseCorruptionError(`entry ${id} of ${space} does not fit its sum; restore a backup`, {
          details: { space, id },
        });
      }
      return { id, data };
    });
  }
}

/** Table `meta`: texts by name. Names of the engine carry a prefix, the store's own have none. */
export class MetaTable {
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #get: StatementSync;
  readonly #all: StatementSync;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare('INSERT OR REPLACE INTO meta(k, v) VALUES(?, ?)');
    this.#delete = db.prepare('DELETE FROM meta WHERE k = ?');
    this.#get = db.prepare('SELECT v FROM meta WHERE k = ?');
    this.#all = db.prepare('SELECT k, v FROM meta');
  }

  get(name: StoreMeta): string | undefined {
    return this.#get.get(name)?.v as string | undefined;
  }

  set(name: StoreMeta, text: string | null): void {
    this.#write(name, text);
  }

  setEngine(name: string, text: string | null): void {
    this.#write(ENGINE + name, text);
  }

  engine(): Map<string, string> {
    const found = new Map<string, string>();
    for (const { k, v } of this.#all.all() as { k: string; v: string }[]) {
      if (k.startsWith(ENGINE)) found.set(k.slice(ENGINE.length), v);
    }
    return found;
  }

  #write(name: string, text: string | null): void {
    if (text === null) this.#delete.run(name);
    else this.#put.run(name, text);
  }
}

/** What the store itself keeps in `meta` (R9 at open). `sealed`: the file is a copy and needs a new replica id. */
export type StoreMeta = 'generation' | 'fingerprint' | 'sealed';

const ENGINE = 'engine.';
