import type { CollectionName, DocumentKey, ReplicaId } from '../src/core/ids/index.ts';
import { type Knowledge, knows, type Line, type Version } from '../src/core/version/index.ts';
import type { Replica } from '../src/database/replica/index.ts';
import type { Place, TrueWrite } from './true-write.ts';

const NONE: readonly Version[] = [];

/** A node, as far as others can rely on what it holds. */
export interface Holder {
  readonly replica: Replica;
  /** A node with a copied disk may hold collections that it never wants; nobody gets those from it. */
  mayWant(collection: CollectionName): boolean;
}

/**
 * What a replica holds and knows, asked write by write. Each document is read once, however many writes it has. Valid until
 * the replica changes; `heldBy` makes one that stays valid.
 */
export class Holdings {
  readonly #replica: Replica;
  readonly #knowledge = new Map<CollectionName, Knowledge>();
  readonly #documents = new Map<CollectionName, Map<DocumentKey, HeldDocument>>();
  readonly #counts: (write: TrueWrite) => boolean;

  /** Writes for which `counts` is false are reported as absent. Default: all count. */
  constructor(replica: Replica, counts: (write: TrueWrite) => boolean = () => true) {
    this.#replica = replica;
    this.#counts = counts;
  }

  /** Whether the replica holds the write, or knows that it was replaced or purged. */
  has(write: TrueWrite): boolean {
    const { collection, dot } = write;
    return this.#counts(write) && (knows(this.knowledge(collection), dot.replica, dot.seq) || this.#hasLine(write));
  }

  /** Whether the replica holds the write, or a version that replaced it. */
  hasSeen(write: TrueWrite): boolean {
    return this.#counts(write) && this.#hasLine(write);
  }

  #hasLine({ collection, key, dot: { replica, seq } }: TrueWrite): boolean {
    const lines = this.#document(collection, key).seen().get(replica);
    return lines?.some(({ first, last }) => first <= seq && seq <= last) ?? false;
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
    return this.#document(collection, key).versions;
  }

  #document(collection: CollectionName, key: DocumentKey): HeldDocument {
    let byKey = this.#documents.get(collection);
    if (byKey === undefined) {
      byKey = new Map();
      this.#documents.set(collection, byKey);
    }
    let document = byKey.get(key);
    if (document === undefined) {
      document = new HeldDocument(versionsOf(this.#replica, collection, key));
      byKey.set(key, document);
    }
    return document;
  }
}

/** The versions of a document and, by author, the writes that they are or replaced: an index over long contexts. */
class HeldDocument {
  readonly versions: readonly Version[];
  #seen: Map<ReplicaId, Pick<Line, 'first' | 'last'>[]> | undefined;

  constructor(versions: readonly Version[]) {
    this.versions = versions;
  }

  seen(): ReadonlyMap<ReplicaId, readonly Pick<Line, 'first' | 'last'>[]> {
    if (this.#seen !== undefined) return this.#seen;
    const seen = new Map<ReplicaId, Pick<Line, 'first' | 'last'>[]>();
    for (const { replica, seq, context } of this.versions)
      for (const line of [{ replica, first: seq, last: seq }, ...context]) {
        const lines = seen.get(line.replica);
        if (lines === undefined) seen.set(line.replica, [line]);
        else lines.push(line);
      }
    this.#seen = seen;
    return seen;
  }
}

/** What other nodes can get from this one. */
export function wantedHoldings(holder: Holder): Holdings {
  return new Holdings(holder.replica, ({ collection }) => holder.mayWant(collection));
}

/** A node that can tell whether something has happened to its disk. */
export interface DiskHolder {
  readonly replica: Replica;
  readonly store: { readonly revision: number };
}

/** The last answer of `heldBy` for each replica, and the state of its disk and of the history then. */
const lastHeld = new WeakMap<Replica, { readonly revision: number; readonly size: number; readonly held: Holdings }>();

/**
 * What a node holds and knows now of the writes so far. Later changes to its replica do not affect it. One that tries the same
 * again and again on a full disk is asked thousands of times, so it is read again only if it can have changed.
 */
export function heldBy(
  { replica, store: { revision } }: DiskHolder,
  history: { readonly size: number; places(): Iterable<Place> },
): Holdings {
  const { size } = history;
  const last = lastHeld.get(replica);
  if (last?.revision === revision && last.size === size) return last.held;
  const held = new Holdings(replica, ({ id }) => id < size);
  for (const { collection, key } of history.places()) {
    held.knowledge(collection);
    held.versions(collection, key);
  }
  lastHeld.set(replica, { revision, size, held });
  return held;
}

/** The versions held, or none if the row is damaged. */
export function versionsOf(replica: Replica, collection: CollectionName, key: DocumentKey): readonly Version[] {
  try {
    return replica.get(collection, key)?.versions ?? NONE;
  } catch {
    return NONE; // nobody can get anything from an unreadable row
  }
}
