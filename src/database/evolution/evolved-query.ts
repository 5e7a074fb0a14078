import { compareBySort, isAfter, type JsonObject, type Query, toPredicate } from '../../core/query/index.ts';
import type { FoundDocument } from '../../store/index.ts';
import { notOlderThan, olderThan } from './older-documents.ts';

/** What a query needs of a codec. */
interface Shape {
  readonly version: number;
  /** A stored document in that version. */
  newest(text: string): JsonObject;
}

/**
 * A query of a collection that holds documents of older versions. Filter and sort apply to the newest version, and the store
 * cannot migrate, so it finds only candidates, and the answer is made here.
 */
export class EvolvedQuery {
  /** Finds the candidates: what fits the filter already, and everything of older versions. */
  readonly candidates: Query;
  readonly #query: Query;
  readonly #shape: Shape;
  readonly #fits: (value: JsonObject) => boolean;
  readonly #found: { readonly row: FoundDocument; readonly key: string; readonly value: JsonObject }[] = [];

  constructor(query: Query, shape: Shape) {
    const { version } = shape;
    const newer = { kind: 'and', filters: [query.filter, notOlderThan(version)] } as const;
    const filter = { kind: 'or', filters: [newer, olderThan(version)] } as const;
    this.candidates = { filter, sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
    this.#query = query;
    this.#shape = shape;
    this.#fits = toPredicate(query.filter);
  }

  /** To be called with each candidate. */
  add(row: FoundDocument): void {
    const { sort, after } = this.#query;
    const document = { row, key: row.key, value: this.#shape.newest(row.value) };
    if (this.#fits(document.value) && (after === undefined || isAfter(sort, document, after)))
      this.#found.push(document);
  }

  /** The documents that the query finds among the candidates, in its order, as they are stored. */
  answer(): FoundDocument[] {
    const { sort, skip, limit } = this.#query;
    return this.#found
      .sort(compareBySort(sort))
      .slice(skip, skip + limit)
      .map(({ row }) => row);
  }
}
