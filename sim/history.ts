import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { type Context, contextCovers, type Dot, knows, type Version } from '../src/core/version/index.ts';
import type { Replica } from '../src/database/replica/index.ts';

/** One write as the world saw it: the ground truth, told apart even where two lives used one dot. */
export interface TrueWrite {
  readonly id: number;
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly dot: Dot;
  readonly context: Context;
  readonly isDelete: boolean;
  /** Node that wrote it. */
  readonly author: string;
  /** Writes of one commit share it. */
  readonly transaction: number;
  /** Writes that its author could see, directly. */
  readonly parents: readonly number[];
  /** Writes that replaced it, directly. */
  readonly children: number[];
  isAcknowledged: boolean;
  /** The only disks that held it were damaged, wiped or replaced. */
  isLost: boolean;
  /** Its author crashed before it could be acknowledged, and found it on its disk. */
  isKept: boolean;
  /** It was never durable: the crash took it. */
  isUndone: boolean;
  /** R9 wrote it again under another name. */
  isRewritten: boolean;
}

export interface NewWrite {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly author: string;
  readonly transaction: number;
  /** What the author saw of the document. */
  readonly seen: readonly Version[];
  readonly written: Version;
}

/** A write with which something is wrong in the end. */
export interface Finding {
  readonly kind: 'zombie' | 'lost';
  readonly write: TrueWrite;
}

/** What truly happened, and the judgement of the final state (I2, I3). */
export class History {
  readonly #writes: TrueWrite[] = [];
  readonly #byDigest = new Map<string, number>();
  readonly #byTransaction = new Map<number, TrueWrite[]>();

  get size(): number {
    return this.#writes.length;
  }

  writes(): readonly TrueWrite[] {
    return this.#writes;
  }

  transaction(id: number): readonly TrueWrite[] {
    return this.#byTransaction.get(id) ?? [];
  }

  record({ collection, key, author, transaction, seen, written }: NewWrite): TrueWrite {
    const parents = seen.map((v) => this.idOf(v)).filter((id) => id !== undefined);
    const write: TrueWrite = {
      id: this.#writes.length,
      collection,
      key,
      dot: { replica: written.replica, seq: written.seq },
      context: written.context,
      isDelete: written.value === null,
      author,
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
    const together = this.#byTransaction.get(transaction);
    if (together === undefined) this.#byTransaction.set(transaction, [write]);
    else together.push(write);
    return write;
  }

  idOf(version: Version): number | undefined {
    return this.#byDigest.get(digestText(version));
  }

  /** R9 wrote a version again: it stands for the same write. */
  alias(version: Version, id: number): void {
    this.#byDigest.set(digestText(version), id);
    this.#writes[id]!.isRewritten = true;
  }

  /** Marks writes that no surviving replica holds or has seen replaced, of those that `gone` had. */
  markLost(gone: (write: TrueWrite) => boolean, survivors: readonly Replica[]): void {
    for (const write of this.#writes)
      if (!write.isLost && gone(write) && !survivors.some((r) => includes(r, write))) write.isLost = true;
  }

  /** What is wrong with the final state; empty when all is well. `visible`: ids that readers see on some node. */
  verdict(visible: ReadonlySet<number>, survivors: readonly Replica[]): Finding[] {
    const found: Finding[] = [];
    for (const write of this.#writes)
      if (write.isLost && survivors.some((r) => includes(r, write))) write.isLost = false;
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

/** Whether the replica holds the write, or knows it as replaced or purged. */
export function includes(replica: Replica, write: TrueWrite): boolean {
  const { collection, dot } = write;
  return knows(replica.collection(collection).knowledge, dot.replica, dot.seq) || hasSeen(replica, write);
}

/** Whether the replica holds the write, or a version that replaced it. */
export function hasSeen(replica: Replica, { collection, key, dot }: TrueWrite): boolean {
  return versionsOf(replica, collection, key).some(
    (v) => (v.replica === dot.replica && v.seq === dot.seq) || contextCovers(v.context, dot.replica, dot.seq),
  );
}

/** Versions held, or none where the row is damaged. */
export function versionsOf(replica: Replica, collection: CollectionName, key: DocumentKey): readonly Version[] {
  try {
    return replica.get(collection, key)?.versions ?? [];
  } catch {
    return []; // an unreadable row holds nothing that anybody could get
  }
}

export function nameOf(write: TrueWrite): string {
  return `#${write.id} ${write.collection}/${write.key} ${write.dot.replica.slice(0, 6)}:${write.dot.seq}`;
}

function digestText(version: Version): string {
  return Buffer.from(version.digest).toString('latin1');
}
