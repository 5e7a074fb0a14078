import type { CollectionName, DocumentKey, ReplicaId } from '../src/core/ids/index.ts';
import type { Finding, History } from './history.ts';
import { isOfTwin, type SimNode } from './node.ts';
import type { Place, TrueWrite } from './true-write.ts';

/** The harm that R9 admits: to documents that two running lives of one replica wrote before they met. */
export interface Residue {
  readonly clones: number;
  /** Documents with writes whose dot both lives could have used. */
  readonly ambiguousDocuments: number;
  readonly lost: number;
  readonly zombies: number;
  /** Documents that nodes show differently in the end. */
  readonly diverged: number;
}

interface Pair {
  readonly nodes: readonly [SimNode, SimNode];
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly replacedBefore: readonly [number, number];
}

/** Follows twins: which of their writes may share a dot, and whether both were told. */
export class TwinWatch {
  readonly #history: History;
  readonly #pairs: Pair[] = [];
  /** Newest seq that both lives of a replica share. */
  readonly #forkedAt = new Map<ReplicaId, number>();
  #lost = 0;
  #zombies = 0;
  readonly #diverged = new Set<string>();

  constructor(history: History) {
    this.#history = history;
  }

  /** Notes a new twin. A copy of a disk on which nothing was durable yet has an id of its own and is no twin. */
  cloned(node: SimNode, twin: SimNode): void {
    const { id, seq } = twin.replica;
    if (id !== node.replica.id) return;
    this.#pairs.push({
      nodes: [node, twin],
      replica: id,
      seq,
      replacedBefore: [node.replacedDisks, twin.replacedDisks],
    });
    this.#forkedAt.set(id, Math.min(seq, this.#forkedAt.get(id) ?? seq));
  }

  get residue(): Residue {
    const documents = new Set(
      this.#history
        .writes()
        .filter((w) => this.#isAmbiguous(w))
        .map(placeOf),
    );
    return {
      clones: this.#pairs.length,
      ambiguousDocuments: documents.size,
      lost: this.#lost,
      zombies: this.#zombies,
      diverged: this.#diverged.size,
    };
  }

  /** Whether R9 admits that nodes disagree on this document, because two lives may have used one dot in it. Counts it. */
  admitsDivergence(collection: CollectionName, key: DocumentKey): boolean {
    if (!this.isAmbiguousPlace({ collection, key })) return false;
    this.#diverged.add(placeOf({ collection, key }));
    return true;
  }

  /**
   * Whether R9 admits this finding, which it then counts: it is about a document with writes whose dot two lives may share,
   * or about a write that was made again while the news that it had been replaced was still on its way.
   */
  admits({ kind, write }: Finding): boolean {
    if (!this.isAmbiguousPlace(write) && !(kind === 'zombie' && write.isRewritten)) return false;
    if (kind === 'lost') this.#lost++;
    else this.#zombies++;
    return true;
  }

  /**
   * Problems for twins that were not told of each other although both are still present, still have the disks of that time,
   * and both went on writing under the shared id.
   */
  untold(present: readonly SimNode[]): string[] {
    return this.#pairs
      .filter(({ nodes }) => nodes.every((node) => present.includes(node)))
      .filter(({ nodes, replacedBefore }) => nodes.every((node, i) => node.replacedDisks === replacedBefore[i]))
      .filter((pair) => pair.nodes.every((node) => this.#hasGoneOn(node, pair)))
      .flatMap(untoldOf);
  }

  /** Whether the node wrote under the shared id after the fork. If not, it is a copy that nobody needs to know about. */
  #hasGoneOn({ key }: SimNode, { replica, seq }: Pair): boolean {
    const isOwn = (w: TrueWrite): boolean => w.author === key && w.dot.replica === replica && w.dot.seq > seq;
    return this.#history.writes().some((w) => isOwn(w) && w.isAcknowledged);
  }

  /** Whether the document has a write whose dot two lives may have used. */
  isAmbiguousPlace(place: Place): boolean {
    return this.#history.ofDocument(place).some((w) => this.#isAmbiguous(w));
  }

  #isAmbiguous({ dot }: TrueWrite): boolean {
    const forkedAt = this.#forkedAt.get(dot.replica);
    return forkedAt !== undefined && dot.seq > forkedAt;
  }
}

function placeOf({ collection, key }: Place): string {
  return `${collection}/${key}`;
}

function untoldOf({ nodes, replica }: Pair): string[] {
  return nodes
    .filter(({ told }) => !told.some((each) => each.replica === replica && isOfTwin(each)))
    .map((node) => `untold: ${node.key} has a twin, ${nodes.find((n) => n !== node)!.key}, and was not told (R9)`);
}
