import type { DocumentKey } from '../../../core/ids/index.ts';
import type { FoundDocument } from '../../store.ts';
import { openReader } from '../connection.ts';
import { QueryRunner } from '../query/index.ts';
import { createCollectionDictionary, createReplicaDictionary, DocumentTable, IndexTable } from '../tables/index.ts';
import type { FoundPart, JobContext, QueryJob } from './jobs.ts';

/** Bounds of one part of an answer: taking it holds up the event loop for about a millisecond. */
const PART_DOCUMENTS_MAX = 512;
const PART_CHARACTERS_MAX = 256 * 1024;

class Stopped extends Error {}

/** Answers a query on its own connection, as of one moment. Returns the count of a `count`, 0 for a `find`. */
export function answerQuery({ kind, path, collection, query, distrusted }: QueryJob, context: JobContext): number {
  const pulse = (): void => {
    if (context.isStopped()) throw new Stopped();
  };
  const isTrusted = (id: number): boolean => !distrusted.has(id);
  const db = openReader(path);
  try {
    pulse();
    const collections = createCollectionDictionary(db);
    const indexes = new IndexTable(db);
    const documents = new DocumentTable(db, collections, createReplicaDictionary(db), indexes);
    const queries = new QueryRunner(db, documents, indexes, collections, pulse);
    db.exec('PRAGMA temp_store = MEMORY; BEGIN');
    if (kind === 'count') return queries.count(collection, query, isTrusted);
    const parts = new Parts(context.onFound);
    queries.each(collection, query, isTrusted, (document) => parts.add(document));
    parts.end();
    return 0;
  } catch (error) {
    if (error instanceof Stopped) return 0;
    throw error;
  } finally {
    db.close();
  }
}

/** Collects documents into parts and hands over each one that is full. */
class Parts {
  readonly #onFull: (part: FoundPart) => void;
  #keys: DocumentKey[] = [];
  #values: string[] = [];
  #characters = 0;

  constructor(onFull: (part: FoundPart) => void) {
    this.#onFull = onFull;
  }

  add({ key, value }: FoundDocument): void {
    this.#keys.push(key);
    this.#values.push(value);
    this.#characters += value.length;
    if (this.#keys.length >= PART_DOCUMENTS_MAX || this.#characters >= PART_CHARACTERS_MAX) this.end();
  }

  end(): void {
    if (this.#keys.length === 0) return;
    const part = { keys: this.#keys, values: this.#values };
    this.#keys = [];
    this.#values = [];
    this.#characters = 0;
    this.#onFull(part);
  }
}
