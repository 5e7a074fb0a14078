import type { CommitNotice } from '../src/database/replica/index.ts';
import { type History, nameOf } from './history.ts';
import type { SimNode } from './node.ts';
import type { TrueWrite } from './true-write.ts';

interface Reader {
  readonly seen: Set<number>;
  /** By author, how many of its writes were seen without a gap from the first. */
  readonly prefixes: Map<string, number>;
}

/**
 * Checks what readers may rely on in a network that never fails and where all nodes want all collections: a transaction is
 * seen whole or not at all (I6), and nobody sees an effect before its cause. Follows every commit of every node.
 */
export class LiveOrder {
  readonly #history: History;
  readonly #readers = new Map<SimNode, Reader>();
  readonly #writesByAuthor = new Map<string, number[]>();
  readonly #pasts = new Map<number, ReadonlyMap<string, number>>();
  readonly problems: string[] = [];

  constructor(history: History) {
    this.#history = history;
  }

  /** The node made a commit: what it had seen by then is the past of these writes. */
  wrote(node: SimNode, writes: readonly TrueWrite[]): void {
    const reader = this.#reader(node);
    const own = this.#writesByAuthor.get(node.key) ?? [];
    this.#writesByAuthor.set(node.key, own);
    const past = new Map(reader.prefixes).set(node.key, own.length);
    for (const write of writes) {
      own.push(write.id);
      this.#pasts.set(write.id, past);
      this.#see(reader, write);
    }
    this.#advance(reader);
  }

  /** A commit at the node brought what others wrote. */
  received(node: SimNode, { changed }: CommitNotice): void {
    const reader = this.#reader(node);
    const fresh: TrueWrite[] = [];
    for (const document of changed)
      for (const version of document.versions) {
        const id = this.#history.idOf(version);
        if (id !== undefined && !reader.seen.has(id)) fresh.push(this.#history.writes()[id]!);
      }
    for (const write of fresh) this.#see(reader, write);
    this.#advance(reader);
    for (const write of fresh) this.#check(node, reader, write);
  }

  #check(node: SimNode, reader: Reader, write: TrueWrite): void {
    for (const other of this.#history.transaction(write.transaction))
      if (!reader.seen.has(other.id))
        this.problems.push(`torn: ${node.key} sees ${nameOf(write)} without ${nameOf(other)} of its transaction (I6)`);
    for (const [author, count] of this.#pasts.get(write.id) ?? [])
      if ((reader.prefixes.get(author) ?? 0) < count)
        this.problems.push(`effect before cause: ${node.key} sees ${nameOf(write)} before what ${author} wrote first`);
  }

  #reader(node: SimNode): Reader {
    const known = this.#readers.get(node);
    if (known !== undefined) return known;
    const reader = { seen: new Set<number>(), prefixes: new Map<string, number>() };
    this.#readers.set(node, reader);
    return reader;
  }

  /** Marks the write as seen, and with it everything that it replaced. */
  #see(reader: Reader, write: TrueWrite): void {
    if (reader.seen.has(write.id)) return;
    reader.seen.add(write.id);
    for (const parent of write.parents) this.#see(reader, this.#history.writes()[parent]!);
  }

  #advance(reader: Reader): void {
    for (const [author, ids] of this.#writesByAuthor) {
      let count = reader.prefixes.get(author) ?? 0;
      while (count < ids.length && reader.seen.has(ids[count]!)) count++;
      reader.prefixes.set(author, count);
    }
  }
}
