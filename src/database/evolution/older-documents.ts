import type { CollectionName } from '../../core/ids/index.ts';
import type { Filter } from '../../core/query/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import { takeVersion, VERSION_FIELD } from './migrations.ts';

/** Documents of this version or a newer one. */
export function notOlderThan(version: number): Filter {
  return { kind: 'gte', path: [VERSION_FIELD], value: version };
}

/** Documents of an older version, those without one included. */
export function olderThan(version: number): Filter {
  return { kind: 'not', filter: notOlderThan(version) };
}

/**
 * Which collections hold no document of an older version than their own: a query asks the store once, and from then on
 * each commit is looked at. So a collection that is migrated costs its queries nothing.
 */
export class OlderDocuments {
  /** Version of each collection that was found to hold nothing older. */
  readonly #free = new Map<CollectionName, number>();

  /** `count` says how many there are, and is asked only where that is not known. */
  has(collection: CollectionName, version: number, count: () => number): boolean {
    if (version === 0 || this.#free.get(collection) === version) return false;
    if (count() > 0) return true;
    this.#free.set(collection, version);
    return false;
  }

  /** These were committed. */
  committed(changed: readonly StoredDocument[]): void {
    if (this.#free.size === 0) return;
    for (const { collection, value } of changed) {
      const version = this.#free.get(collection);
      if (version !== undefined && value !== null && isOlder(value, version)) this.#free.delete(collection);
    }
  }

  /** Commits were lost; what they brought may come again in another order. */
  forget(): void {
    this.#free.clear();
  }
}

function isOlder(text: string, version: number): boolean {
  // As this release writes it; another order of members is looked at closely.
  const prefix = `{"${VERSION_FIELD}":${version}`;
  if (text.startsWith(`${prefix},`) || text === `${prefix}}`) return false;
  return takeVersion(JSON.parse(text)).version < version;
}
