import type { CollectionName } from '../../core/ids/index.ts';
import type { Filter, Query } from '../../core/query/index.ts';
import type { FoundDocument, StoredDocument } from '../../store/index.ts';
import { after, type Eventually } from '../eventually.ts';
import { takeVersion, VERSION_FIELD } from './migrations.ts';

/** Matches documents of this version or a newer one. */
export function notOlderThan(version: number): Filter {
  return { kind: 'gte', path: [VERSION_FIELD], value: version };
}

/** Matches documents of an older version, including those without a version. */
export function olderThan(version: number): Filter {
  return { kind: 'not', filter: notOlderThan(version) };
}

/** Whether a collection holds any document older than a version. */
interface Found {
  readonly collection: CollectionName;
  readonly version: number;
  readonly isAny: boolean;
}

/**
 * Which collections hold a document of an older version than their own. The first query asks the store; after that, each
 * commit is checked. So queries on a fully migrated collection have no extra cost.
 */
export class OlderDocuments {
  readonly #known = new Map<CollectionName, Found>();
  /** Lookups under way. A commit of an older document removes them, and their answers no longer count. */
  readonly #asked = new Set<Found>();

  /** Whether there is an older document. `find` is called only if that is not known. */
  has(collection: CollectionName, version: number, find: (query: Query) => readonly FoundDocument[]): boolean {
    if (version === 0) return false;
    const known = this.#known.get(collection);
    if (known?.version === version) return known.isAny;
    const isAny = find(oneOlder(version)).length > 0;
    this.#known.set(collection, { collection, version, isAny });
    return isAny;
  }

  /** Looks up what `has` needs, without blocking; call `has` afterwards. */
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

  /** Takes note of a commit. */
  committed(changed: readonly StoredDocument[]): void {
    if (this.#known.size === 0 && this.#asked.size === 0) return;
    for (const { collection, value } of changed) {
      const known = this.#known.get(collection);
      // If it held older documents, this commit may have replaced the last of them.
      if (known !== undefined && (known.isAny || isOlder(value, known.version))) this.#known.delete(collection);
      for (const asked of this.#asked)
        if (asked.collection === collection && isOlder(value, asked.version)) this.#asked.delete(asked);
    }
  }

  /** Forgets everything: commits were lost, and the store has gone back. */
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
  // This release writes the version first. A text that starts otherwise has to be parsed.
  const prefix = `{"${VERSION_FIELD}":${version}`;
  if (text.startsWith(`${prefix},`) || text === `${prefix}}`) return false;
  return takeVersion(JSON.parse(text)).version < version;
}
