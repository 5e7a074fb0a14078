import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Version } from '../src/core/version/index.ts';
import { type Holder, wantedHoldings } from './holdings.ts';
import type { Place, TrueWrite } from './true-write.ts';

export interface NewWrite {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly author: string;
  /** How many disks of the author were replaced before. */
  readonly disk: number;
  readonly transaction: number;
  /** What the author saw of the document: the versions, and the value that they resolve to. */
  readonly seen: readonly Version[];
  readonly replaced: string | null;
  readonly written: Version;
}

/** A write whose final state is wrong. */
export interface Finding {
  readonly kind: 'zombie' | 'lost';
  readonly write: TrueWrite;
}

/** The ground truth: every write that was made, and the verdict on the final state (I2, I3). */
export class History {
  readonly #writes: TrueWrite[] = [];
  /** Collections of which some node lost or dropped rows: readers then see no document, and no node keeps that as history. */
  readonly goneRows = new Set<CollectionName>();
  readonly #byDigest = new Map<string, number>();
  readonly #byTransaction = new Map<number, TrueWrite[]>();
  readonly #byCollection = new Map<CollectionName, TrueWrite[]>();
  readonly #byPlace = new Map<string, TrueWrite[]>();
  readonly #places: Place[] = [];
  /** By author, the writes not yet known to be durable or lost. Settled ones are removed when the list is next read. */
  readonly #unsettled = new Map<string, TrueWrite[]>();

  get size(): number {
    return this.#writes.length;
  }

  writes(): readonly TrueWrite[] {
    return this.#writes;
  }

  transaction(id: number): readonly TrueWrite[] {
    return this.#byTransaction.get(id) ?? [];
  }

  /** The writes of one collection, in the order in which they were made. */
  ofCollection(collection: CollectionName): readonly TrueWrite[] {
    return this.#byCollection.get(collection) ?? [];
  }

  /** The writes of one document, in the order in which they were made. */
  ofDocument({ collection, key }: Place): readonly TrueWrite[] {
    return this.#byPlace.get(placeText(collection, key)) ?? [];
  }

  /** Every document that was ever written, in one collection or in all. */
  places(collection?: CollectionName): readonly Place[] {
    return collection === undefined ? this.#places : this.#places.filter((place) => place.collection === collection);
  }

  /** Writes of this node that were neither acknowledged, nor found on disk after a crash, nor undone by one. */
  unsettledOf(author: string): readonly TrueWrite[] {
    const left = (this.#unsettled.get(author) ?? []).filter((w) => !w.isAcknowledged && !w.isKept && !w.isUndone);
    this.#unsettled.set(author, left);
    return left;
  }

  record({ collection, key, author, disk, transaction, seen, replaced, written }: NewWrite): TrueWrite {
    const parents = seen.map((v) => this.idOf(v)).filter((id) => id !== undefined);
    const write: TrueWrite = {
      id: this.#writes.length,
      collection,
      key,
      dot: { replica: written.replica, seq: written.seq },
      context: written.context,
      isDelete: written.value === null,
      value: written.value,
      replaced,
      author,
      disk,
      transaction,
      parents,
      children: [],
      isAcknowledged: false,
      isLost: false,
      isKept: false,
      isUndone: false,
      isRewritten: false,
    };
    for (const parent of parents) this.#writes[parent]!.children.push(write.id);
    this.#writes.push(write);
    this.#byDigest.set(digestText(written), write.id);
    append(this.#byTransaction, transaction, write);
    append(this.#byCollection, collection, write);
    if (!this.#byPlace.has(placeText(collection, key))) this.#places.push({ collection, key });
    append(this.#byPlace, placeText(collection, key), write);
    append(this.#unsettled, author, write);
    return write;
  }

  idOf(version: Version): number | undefined {
    return this.#byDigest.get(digestText(version));
  }

  /** Records a version that R9 wrote again: it stands for the same write. */
  alias(version: Version, id: number): void {
    this.#byDigest.set(digestText(version), id);
    this.#writes[id]!.isRewritten = true;
  }

  /** Of the writes for which `gone` is true, marks those that no survivor holds or knows to be replaced. */
  markLost(gone: (write: TrueWrite) => boolean, survivors: readonly Holder[]): void {
    const left = survivors.map(wantedHoldings);
    for (const write of this.#writes)
      if (!write.isLost && gone(write) && !left.some((held) => held.has(write))) write.isLost = true;
  }

  /** What is wrong with the final state; empty if nothing is. `visible` holds the ids that readers see on some node. */
  verdict(visible: ReadonlySet<number>, survivors: readonly Holder[]): Finding[] {
    const found: Finding[] = [];
    const left = survivors.map(wantedHoldings);
    for (const write of this.#writes) if (write.isLost && left.some((held) => held.has(write))) write.isLost = false;
    const replaced = this.#ancestorsOf((w) => !w.isLost && !w.isUndone);
    const replacedByAny = this.#ancestorsOf((w) => !w.isUndone);
    for (const write of this.#writes) {
      if (replaced.has(write.id) && visible.has(write.id)) found.push({ kind: 'zombie', write });
      if (write.isDelete || !write.isAcknowledged || write.isLost || write.isUndone) continue;
      if (!replacedByAny.has(write.id) && !visible.has(write.id)) found.push({ kind: 'lost', write });
    }
    return found;
  }

  #ancestorsOf(counts: (write: TrueWrite) => boolean): Set<number> {
    const ancestors = new Set<number>();
    for (let id = this.#writes.length - 1; id >= 0; id--) {
      const write = this.#writes[id]!;
      if (counts(write) || ancestors.has(id)) for (const parent of write.parents) ancestors.add(parent);
    }
    return ancestors;
  }
}

export function nameOf(write: TrueWrite): string {
  return `#${write.id} ${write.collection}/${write.key} ${write.dot.replica.slice(0, 6)}:${write.dot.seq}`;
}

function placeText(collection: CollectionName, key: DocumentKey): string {
  return `${collection}/${key}`;
}

function append<K>(lists: Map<K, TrueWrite[]>, of: K, write: TrueWrite): void {
  const list = lists.get(of);
  if (list === undefined) lists.set(of, [write]);
  else list.push(write);
}

function digestText(version: Version): string {
  return Buffer.from(version.digest).toString('latin1');
}
