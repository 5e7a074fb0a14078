import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { contextCovers, type Dot, knows, type Version } from '../src/core/version/index.ts';
import type { Replica } from '../src/database/replica/index.ts';

/** One write as the world saw it: the ground truth, told apart even where two lives used one dot. */
export interface TrueWrite {
  readonly id: number;
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly dot: Dot;
  readonly isDelete: boolean;
  /** Writes that its author could see, directly. */
  readonly parents: readonly number[];
  isAcknowledged: boolean;
  /** The only disks that held it were damaged, wiped or replaced. */
  isLost: boolean;
  /** It was never durable: the crash took it. */
  isUndone: boolean;
}

/** What truly happened, and the checks of the final state against it (I2, I3). */
export class History {
  readonly #writes: TrueWrite[] = [];
  readonly #byDigest = new Map<string, number>();

  get size(): number {
    return this.#writes.length;
  }

  writes(): readonly TrueWrite[] {
    return this.#writes;
  }

  record(collection: CollectionName, key: DocumentKey, seen: readonly Version[], written: Version): TrueWrite {
    const parents = seen.map((v) => this.idOf(v)).filter((id) => id !== undefined);
    const write: TrueWrite = {
      id: this.#writes.length,
      collection,
      key,
      dot: { replica: written.replica, seq: written.seq },
      isDelete: written.value === null,
      parents,
      isAcknowledged: false,
      isLost: false,
      isUndone: false,
    };
    this.#writes.push(write);
    this.#byDigest.set(digestText(written), write.id);
    return write;
  }

  idOf(version: Version): number | undefined {
    return this.#byDigest.get(digestText(version));
  }

  /** R9 wrote a version again: it stands for the same write. */
  alias(version: Version, id: number): void {
    this.#byDigest.set(digestText(version), id);
  }

  /** Marks writes that no surviving replica holds or has seen replaced, of those that `gone` had. */
  markLost(gone: (write: TrueWrite) => boolean, survivors: readonly Replica[]): void {
    for (const write of this.#writes) if (!write.isLost && gone(write) && !survivors.some((r) => includes(r, write))) write.isLost = true;
  }

  /** What is wrong with the final state; empty when all is well. `visible`: ids that readers see on some node. */
  verdict(visible: ReadonlySet<number>, survivors: readonly Replica[]): string[] {
    const problems: string[] = [];
    for (const write of this.#writes) if (write.isLost && survivors.some((r) => includes(r, write))) write.isLost = false;
    const replaced = this.#ancestorsOf((w) => !w.isLost && !w.isUndone);
    const replacedByAny = this.#ancestorsOf((w) => !w.isUndone);
    for (const write of this.#writes) {
      if (replaced.has(write.id) && visible.has(write.id)) problems.push(`zombie: write ${name(write)} was replaced knowingly and is visible`);
      if (write.isDelete || !write.isAcknowledged || write.isLost || write.isUndone) continue;
      if (!replacedByAny.has(write.id) && !visible.has(write.id)) problems.push(`lost: acknowledged write ${name(write)} is nowhere`);
    }
    return problems;
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
  const { collection, key, dot } = write;
  if (knows(replica.collection(collection).knowledge, dot.replica, dot.seq)) return true;
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

function digestText(version: Version): string {
  return Buffer.from(version.digest).toString('base64');
}

function name(write: TrueWrite): string {
  return `#${write.id} ${write.collection}/${write.key} ${write.dot.replica.slice(0, 6)}:${write.dot.seq}`;
}
