import type { DatabaseSync } from 'node:sqlite';
import { isEntglDbError, PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { FoundDocument } from '../store.ts';
import { openReader } from './connection.ts';
import { ownerOf } from './files/index.ts';
import { guarded } from './sqlite-errors.ts';
import { Tables } from './tables.ts';

/** Documents read in one step. */
const PAGE_DOCUMENTS = 500;

/** Some documents of a collection, in order of key, and how many others in between cannot be read. */
export interface SalvagedPage {
  readonly documents: readonly FoundDocument[];
  readonly unreadable: number;
}

/**
 * The documents of a database file that cannot be opened any more, because a part that is needed for that is damaged. The file is not
 * changed. What only its redo log holds, the commits of the last moment before a crash, is not among them.
 */
export class SalvageFile {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #tables: Tables;

  /** Throws DATABASE_LOCKED while the file is open elsewhere, DATABASE_CORRUPT if nothing of it can be read. */
  constructor(path: string) {
    const pid = ownerOf(path);
    if (pid !== undefined) {
      const message = `process ${pid} has the database ${path} open; stop it`;
      throw new PersistenceError('DATABASE_LOCKED', message, { details: { path, pid } });
    }
    this.#path = path;
    this.#db = guarded(path, () => openReader(path));
    try {
      this.#tables = guarded(path, () => new Tables(this.#db, { chainLengthMax: 0, goneLogMax: 0 }));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  collections(): CollectionName[] {
    return guarded(this.#path, () => this.#tables.documents.collections());
  }

  /** Throws DATABASE_CORRUPT where the list of keys cannot be read on. */
  *pages(collection: CollectionName): Generator<SalvagedPage> {
    for (let after: DocumentKey | null = null; ; ) {
      const from: DocumentKey | null = after;
      const keys: DocumentKey[] = guarded(this.#path, () =>
        this.#tables.documents.keys(collection, from, PAGE_DOCUMENTS),
      );
      if (keys.length === 0) return;
      yield this.#page(collection, keys);
      after = keys.at(-1)!;
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Deleted documents are in neither number. */
  #page(collection: CollectionName, keys: readonly DocumentKey[]): SalvagedPage {
    const documents: FoundDocument[] = [];
    let unreadable = 0;
    for (const key of keys) {
      try {
        const value = guarded(this.#path, () => this.#tables.documents.get(collection, key))?.value;
        if (typeof value === 'string') documents.push({ key, value });
      } catch (error) {
        if (!isEntglDbError(error, 'DOCUMENT_CORRUPT') && !isEntglDbError(error, 'DATABASE_CORRUPT')) throw error;
        unreadable++;
      }
    }
    return { documents, unreadable };
  }
}
