import type { CollectionName } from '../../core/ids/index.ts';
import type { Filter, Query } from '../../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../../store/index.ts';
import { after, type Eventually } from '../eventually.ts';
import { takeVersion, VERSION_FIELD } from './migrations.ts';

/** Documents of this version or a newer one. */
export function notOlderThan(version: number): Filter {
  return { kind: 'gte', path: [VERSION_FIELD], value: version };
}

/** Documents of an older version, those without one included. */
export function olderThan(version: number): Filter {
  return { kind: 'not', filter: notOlderThan(version) };
}

/** The answer is out of date when a commit brings an older document. */
interface Found {
  readonly collection: CollectionName;
  readonly version: number;
  readonly isAny: boolean;
}

/**
 * Which collections hold a document of an older version than their own: a query asks the store once, and from then on each
 * commit is looked at. So a collection that is migrated costs its queries nothing.
 */
export class OlderDocuments {
  readonly #known = new Map<CollectionName, Found>();
  /** Questions whose answer is on its way, and counts only if no commit came between. */
  readonly #asked = new Set<Found>();

  /** `find` is asked for one of them, and only where that is not known. */
  has(collection: CollectionName, version: number, find: (query: Query) => readonly FoundDocument[]): boolean {
    if (version === 0) return false;
    const known = this.#known.get(collection);
    if (known?.version === version) return known.isAny;
    const isAny = find(oneOlder(version)).length > 0;
    this.#known.set(collection, { collection, version, isAny });
    return isAny;
  }

  /** As `has`, for whoever can wait, and then asks that. */
  lookFor(
    collection: CollectionName,
    version: number,
    find: (query: Query) => Eventually<readonly FoundDocument[]>,
  ): Eventually<void> {
    if (version === 0 || this.#known.get(collection)?.version === version) return undefined;
    const asked: Found = { collection, version, isAny: false };
    this.#asked.add(asked);
    return after(find(oneOlder(version)), (found) => {
      if (this.#asked.delete(asked)) this.#known.set(collection, { ...asked, isAny: found.length > 0 });
    });
  }

  /** These were committed. */
  committed(changed: readonly StoredDocument[]): void {
    if (this.#known.size === 0 && this.#asked.size === 0) return;
    for (const { collection, value } of changed) {
      const known = this.#known.get(collection);
      // Of a collection that held some, the last one may be gone now.
      if (known !== undefined && (known.isAny || isOlder(value, known.version))) this.#known.delete(collection);
      for (const asked of this.#asked)
        if (asked.collection === collection && isOlder(value, asked.version)) this.#asked.delete(asked);
    }
  }

  /** Commits were lost; what they brought may come again in another order. */
  forget(): void {
    this.#known.clear();
    this.#asked.clear();
  }
}

function oneOlder(version: number): Query {
  return { filter: olderThan(version), sort: [], skip: 0, limit: 1 };
}

function isOlder(text: string | null, version: number): boolean {
  if (text === null) return false;
  // As this release writes it; another order of members is looked at closely.
  const prefix = `{"${VERSION_FIELD}":${version}`;
  if (text.startsWith(`${prefix},`) || text === `${prefix}}`) return false;
  return takeVersion(JSON.parse(text)).version < version;
}
