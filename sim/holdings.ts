import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { contextCovers, type Knowledge, knows, type Version } from '../src/core/version/index.ts';
import type { Replica } from '../src/database/replica/index.ts';
import type { History, TrueWrite } from './history.ts';

const NONE: readonly Version[] = [];

/**
 * What a replica holds and knows, asked write by write: each document is read once however many writes of it there are. Good
 * until the replica changes; `heldBy` makes one that stays.
 */
export class Holdings {
  readonly #replica: Replica;
  readonly #knowledge = new Map<CollectionName, Knowledge>();
  readonly #versions = new Map<CollectionName, Map<DocumentKey, readonly Version[]>>();
  /** Of writes that were made later it says nothing. */
  readonly #writesMax: number;

  constructor(replica: Replica, writesMax: number = Number.POSITIVE_INFINITY) {
    this.#replica = replica;
    this.#writesMax = writesMax;
  }

  /** Whether the replica holds the write, or knows it as replaced or purged. */
  has(write: TrueWrite): boolean {
    if (write.id >= this.#writesMax) return false;
    const { collection, dot } = write;
    return knows(this.knowledge(collection), dot.replica, dot.seq) || this.hasSeen(write);
  }

  /** Whether the replica holds the write, or a version that replaced it. */
  hasSeen({ collection, key, dot: { replica, seq } }: TrueWrite): boolean {
    for (const version of this.versions(collection, key))
      if ((version.seq === seq && version.replica === replica) || contextCovers(version.context, replica, seq))
        return true;
    return false;
  }

  knowledge(collection: CollectionName): Knowledge {
    let known = this.#knowledge.get(collection);
    if (known === undefined) {
      known = this.#replica.collection(collection).knowledge;
      this.#knowledge.set(collection, known);
    }
    return known;
  }

  versions(collection: CollectionName, key: DocumentKey): readonly Version[] {
    let byKey = this.#versions.get(collection);
    if (byKey === undefined) {
      byKey = new Map();
      this.#versions.set(collection, byKey);
    }
    let versions = byKey.get(key);
    if (versions === undefined) {
      versions = versionsOf(this.#replica, collection, key);
      byKey.set(key, versions);
    }
    return versions;
  }
}

/** What a replica holds and knows now of the writes so far, whatever becomes of it. */
export function heldBy(replica: Replica, history: History): Holdings {
  const held = new Holdings(replica, history.size);
  for (const { collection, key } of history.places()) {
    held.knowledge(collection);
    held.versions(collection, key);
  }
  return held;
}

/** Versions held, or none where the row is damaged. */
export function versionsOf(replica: Replica, collection: CollectionName, key: DocumentKey): readonly Version[] {
  try {
    return replica.get(collection, key)?.versions ?? NONE;
  } catch {
    return NONE; // an unreadable row holds nothing that anybody could get
  }
}
