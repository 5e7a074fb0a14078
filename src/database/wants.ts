import { SyncError } from '../core/errors/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import { fingerprintText } from '../core/version/index.ts';
import type { Replica } from './replica/index.ts';

export interface CollectionInfo {
  readonly name: string;
  /** Number of documents that readers see. */
  readonly documents: number;
  /** False: this node does not sync the collection (`Sync.Collections`, `narrow`, `evict`). */
  readonly wanted: boolean;
  /** 12 hex digits of the fingerprint: equal on nodes that hold the same versions. */
  readonly fingerprint: string;
}

/**
 * Which collections this node wants: those that `Sync.Collections` names, or all without that setting, except those that are
 * frozen (R12). What it does not want it does not sync, so local writes to it are refused: nobody else would ever get them.
 */
export class Wants {
  readonly #replica: Pick<Replica, 'collection' | 'collections'>;
  readonly #configured: ReadonlySet<CollectionName> | null;

  /** `configured`: the names in `Sync.Collections`; null if the setting is absent. */
  constructor(replica: Pick<Replica, 'collection' | 'collections'>, configured: ReadonlySet<CollectionName> | null) {
    this.#replica = replica;
    this.#configured = configured;
  }

  /** Whether this node wants every collection, whatever its name. */
  get isAll(): boolean {
    return this.#configured === null && this.frozen === undefined;
  }

  /** A frozen collection, if there is any. */
  get frozen(): CollectionName | undefined {
    for (const { name, state } of this.#replica.collections()) if (state === 'frozen') return name;
    return undefined;
  }

  collections(): CollectionInfo[] {
    return [...this.#replica.collections()].map(({ name, documents, fingerprint }) => ({
      name,
      documents,
      wanted: this.has(name),
      fingerprint: fingerprintText(fingerprint),
    }));
  }

  has(collection: CollectionName): boolean {
    return this.#isNamed(collection) && this.#replica.collection(collection).state === 'wanted';
  }

  /** Throws SYNC_ERROR / COLLECTION_NOT_WANTED unless the collection is wanted. */
  assert(collection: CollectionName): void {
    this.assertNamed(collection);
    if (!this.has(collection)) throw notWanted(collection, 'is frozen on this node; widen it first');
  }

  /** Throws the same if the configuration leaves the collection out. */
  assertNamed(collection: CollectionName): void {
    if (this.#isNamed(collection)) return;
    throw notWanted(
      collection,
      'is not among the Sync.Collections of this node, so it would never be synced; add it there',
    );
  }

  #isNamed(collection: CollectionName): boolean {
    return this.#configured?.has(collection) ?? true;
  }
}

function notWanted(collection: CollectionName, problem: string): SyncError {
  return new SyncError('COLLECTION_NOT_WANTED', `collection ${JSON.stringify(collection)} ${problem}`, {
    details: { collection },
  });
}
