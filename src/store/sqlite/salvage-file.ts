import type { DatabaseSync } from 'node:sqlite';
import { isEntglDbError, PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import type { FoundDocument, StoredDocument } from '../store.ts';
import { openReader } from './connection.ts';
import { markerPathOf, ownerOf, RedoFile, readMarker, textToBatch } from './files/index.ts';
import { guarded } from './sqlite-errors.ts';
import { Tables } from './tables.ts';

/** Documents read in one step. */
const PAGE_DOCUMENTS = 500;

type Recorded = ReadonlyMap<DocumentKey, StoredDocument>;
type Found = StoredDocument | 'unreadable' | undefined;

/** Some documents of a collection, and how many others beside them cannot be read. */
export interface SalvagedPage {
  readonly documents: readonly FoundDocument[];
  readonly unreadable: number;
}

/**
 * The documents of a database file that cannot be opened any more, because a part that is needed for that is damaged, with what only its
 * redo log holds after a crash. The file is not changed.
 */
export class SalvageFile {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #tables: Tables;
  /** Documents in the redo log, as they were last. The file may hold the same or a newer state of them. */
  readonly #recorded: ReadonlyMap<CollectionName, Recorded>;

  /**
   * Throws DATABASE_LOCKED while the file is open elsewhere, DATABASE_CORRUPT if nothing of it can be read, DISK_FULL if there is no
   * space beside it for what SQLite reads with.
   */
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
      this.#recorded = guarded(path, () => recordedDocuments(path));
    } catch (error) {
      this.#db.close();
      throw isEntglDbError(error, 'DISK_FULL') ? noSpaceError(path, error) : error;
    }
  }

  collections(): CollectionName[] {
    const inFile = guarded(this.#path, () => this.#tables.documents.collections());
    return [...new Set([...inFile, ...this.#recorded.keys()])];
  }

  /** Throws DATABASE_CORRUPT where the list of keys cannot be read on. */
  *pages(collection: CollectionName): Generator<SalvagedPage> {
    const recorded: Recorded = this.#recorded.get(collection) ?? new Map();
    if (recorded.size > 0) yield this.#page(collection, [...recorded.keys()], recorded);
    for (let after: DocumentKey | null = null; ; ) {
      const from: DocumentKey | null = after;
      const keys: DocumentKey[] = guarded(this.#path, () =>
        this.#tables.documents.keys(collection, from, PAGE_DOCUMENTS),
      );
      if (keys.length === 0) return;
      yield this.#page(
        collection,
        keys.filter((key) => !recorded.has(key)),
      );
      after = keys.at(-1)!;
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Deleted documents are in neither number. */
  #page(collection: CollectionName, keys: readonly DocumentKey[], recorded?: Recorded): SalvagedPage {
    const documents: FoundDocument[] = [];
    let unreadable = 0;
    for (const key of keys) {
      const document = newerOf(this.#row(collection, key), recorded?.get(key));
      if (document === 'unreadable') unreadable++;
      else if (typeof document?.value === 'string') documents.push({ key, value: document.value });
    }
    return { documents, unreadable };
  }

  #row(collection: CollectionName, key: DocumentKey): Found {
    try {
      return guarded(this.#path, () => this.#tables.documents.get(collection, key));
    } catch (error) {
      if (isEntglDbError(error, 'DOCUMENT_CORRUPT') || isEntglDbError(error, 'DATABASE_CORRUPT')) return 'unreadable';
      throw error;
    }
  }
}

/** Even a reader needs an index of the write-ahead log (`-shm`). */
function noSpaceError(path: string, cause: Error): PersistenceError {
  const message = `the disk of ${path} is full, and reading it takes about 100 KB beside it; free some space there, or copy its folder to another disk, name that with --data, and run it again`;
  return new PersistenceError('DISK_FULL', message, { details: { path }, cause });
}

function newerOf(row: Found, recorded: StoredDocument | undefined): Found {
  if (recorded === undefined) return row;
  return row === undefined || row === 'unreadable' || row.pos < recorded.pos ? recorded : row;
}

/** What the redo log holds of the last opening, whether or not the file holds it too. */
function recordedDocuments(path: string): ReadonlyMap<CollectionName, Recorded> {
  const recorded = new Map<CollectionName, Map<DocumentKey, StoredDocument>>();
  const marker = readMarker(markerPathOf(path));
  if (marker === undefined) return recorded;
  // While it was being opened, the records were still those of the opening before.
  const generations = marker.state === 'open' ? [marker.generation] : [marker.generation - 1, marker.generation];
  const redo = new RedoFile(path, (file) => file.datasync(), silentLogger);
  for (const { text } of generations.flatMap((generation) => redo.read(generation).records))
    for (const document of textToBatch(text).documents ?? []) {
      const documents = recorded.get(document.collection) ?? new Map<DocumentKey, StoredDocument>();
      recorded.set(document.collection, documents.set(document.key, document));
    }
  return recorded;
}
