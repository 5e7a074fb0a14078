import { LIMITS, type Limits } from '../../src/core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../src/core/ids/index.ts';
import { lww, type Resolver } from '../../src/core/merge/index.ts';
import type { Version } from '../../src/core/version/index.ts';
import type { Message } from '../../src/net/messages/index.ts';
import type { MemorySnapshot } from '../../src/store/memory/index.ts';
import type { SessionCodec } from '../../src/sync/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { unequalDespiteKnowledge } from '../checks.ts';
import { Cluster } from '../cluster.ts';
import { createObjectCodec, watchedCodec } from '../codecs.ts';
import { isOfTwin, type NodeWatch, type Receipt, type SimNode } from '../node.ts';

export const STOCK: CollectionName = 'stock' as CollectionName;

export interface StageNodeOptions {
  readonly limits?: Partial<Limits>;
  /** Default: lww. */
  readonly resolver?: Resolver;
  /** How long a flush takes, ms. Default: 1. */
  readonly diskDelayMs?: () => number;
}

interface Cue {
  readonly node: SimNode;
  readonly fits: (message: Message) => boolean;
  readonly act: () => void;
}

/** Nodes that do only what a scenario says. They meet when told, and the scenario can act on any message. */
export class Stage {
  readonly cluster: Cluster = new Cluster(createSeededRandom(1), { delayMs: 1, cutChance: 0 });
  readonly #keys = new Set<DocumentKey>();
  readonly #cues: Cue[] = [];
  readonly #sent = new Map<string, Message[]>();
  readonly #deafness = new Map<string, (message: Message) => boolean>();
  readonly #receipts: Receipt[] = [];
  #made = 0;

  node({ limits = {}, resolver = lww, diskDelayMs = () => 1 }: StageNodeOptions = {}): SimNode {
    const key = `n${this.cluster.nodes.length}`;
    const node = this.cluster.addNode({
      resolver,
      collections: null,
      limits: { ...LIMITS, ...limits },
      createCodec: () => this.#createCodec(key),
      diskDelayMs,
      watch: this.#watch,
    });
    node.start();
    return node;
  }

  /** A running copy of the node's disk, marker and all. */
  twinOf(node: SimNode, options: StageNodeOptions = {}): SimNode {
    const twin = this.node(options);
    this.rollBack(twin, node.image());
    return twin;
  }

  /** The node stops and goes on from this image, without noticing the change. */
  rollBack(node: SimNode, image: MemorySnapshot): void {
    node.stop();
    node.startTwinOf(image);
  }

  put(node: SimNode, key: string, value: object | null = { n: ++this.#made }): void {
    this.#keys.add(key as DocumentKey);
    const text = value === null ? null : JSON.stringify(value);
    node.replica.write([{ writes: [{ collection: STOCK, key: key as DocumentKey, value: text }] }]);
  }

  delete(node: SimNode, key: string): void {
    this.put(node, key, null);
  }

  /** The document's row becomes unreadable, and the node notices (R11). */
  lose(node: SimNode, key: string): void {
    node.store.damage(STOCK, key as DocumentKey);
    node.repair(STOCK, [key as DocumentKey]);
  }

  /** A problem for each of these nodes that was not told that it has a twin. */
  untold(...nodes: readonly SimNode[]): string[] {
    return nodes.filter(({ told }) => !told.some(isOfTwin)).map(({ key }) => `${key} was not told`);
  }

  /** Purges every tombstone that is known with its whole context, whatever its age. */
  purge(node: SimNode): void {
    node.replica.purge(-1, 1000);
  }

  versions(node: SimNode, key: string): readonly Version[] {
    return node.replica.get(STOCK, key as DocumentKey)?.versions ?? [];
  }

  has(node: SimNode, key: string): boolean {
    return this.versions(node, key).some((version) => version.value !== null);
  }

  /** What readers see. */
  read(node: SimNode, key: string): unknown {
    return JSON.parse(node.replica.get(STOCK, key as DocumentKey)?.value ?? 'null');
  }

  /** Brings a version outside any session, as a peer would that held it back. Returns the kind of the outcome. */
  carry(version: Version, key: string, to: SimNode): string {
    return to.replica.applyRemote([{ ...version, collection: STOCK, key: key as DocumentKey }], [], {}).kind;
  }

  /** Connects each of these nodes with each other, and lets `ms` pass. Default: 10 s. */
  async join(nodes: readonly SimNode[], ms = 10_000): Promise<void> {
    for (const a of nodes) for (const b of nodes) if (a.key < b.key) this.cluster.connect(a, b);
    await this.cluster.advance(ms);
  }

  /** Connects these nodes until they have nothing more to say, then cuts all connections. */
  async meet(...nodes: SimNode[]): Promise<void> {
    await this.join(nodes);
    await this.part();
  }

  async part(): Promise<void> {
    for (const node of this.cluster.nodes) this.cluster.network.dropAllOf(node.key);
    await this.cluster.advance(2_000);
  }

  /** Runs `act` right after the node has sent the first such message. */
  cue(node: SimNode, fits: (message: Message) => boolean, act: () => void): void {
    this.#cues.push({ node, fits, act });
  }

  /** From now on, the node does not hear such messages. Without `fits`, it hears all again. */
  deafen(node: SimNode, fits: (message: Message) => boolean = () => false): void {
    this.#deafness.set(node.key, fits);
  }

  /** Every message that the node has sent. */
  sentBy(node: SimNode): readonly Message[] {
    return this.#sent.get(node.key) ?? [];
  }

  /** The newest seq up to which `node` has confirmed to anybody that it holds all that `author` wrote; 0: none. */
  confirmedBy(node: SimNode, author: SimNode): number {
    const seqs = this.#receipts.filter((r) => r.node === node.key && r.replica === author.replica.id).map((r) => r.seq);
    return Math.max(0, ...seqs);
  }

  /** A problem if the nodes differ on a document although they have the same knowledge. */
  differences(a: SimNode, b: SimNode): string[] {
    const difference = unequalDespiteKnowledge(a.replica, b.replica, STOCK, [...this.#keys]);
    return difference === undefined ? [] : [`${a.key} and ${b.key}: ${difference}`];
  }

  /** A problem for each of these documents that one of these nodes lacks. */
  lacking(nodes: readonly SimNode[], ...keys: string[]): string[] {
    const lacks = (key: string): SimNode[] => nodes.filter((node) => !this.has(node, key));
    return keys.flatMap((key) => lacks(key).map((node) => `${node.key} lacks the document "${key}"`));
  }

  readonly #watch: NodeWatch = {
    onNewLife: (_node, _why, take) => void take(),
    onCommit: () => {},
    onReceipt: (receipt) => void this.#receipts.push(receipt),
    onReload: () => {},
  };

  #createCodec(key: string): SessionCodec {
    const codec = watchedCodec(createObjectCodec(), (message) => this.#noteSent(key, message));
    return {
      encode: (message) => codec.encode(message),
      decode: (frame) => {
        const message = codec.decode(frame);
        return message !== undefined && this.#deafness.get(key)?.(message) === true ? undefined : message;
      },
    };
  }

  #noteSent(key: string, message: Message): void {
    const sent = this.#sent.get(key);
    if (sent === undefined) this.#sent.set(key, [message]);
    else sent.push(message);
    const index = this.#cues.findIndex(({ node, fits }) => node.key === key && fits(message));
    if (index < 0) return;
    const [cue] = this.#cues.splice(index, 1);
    this.cluster.clock.setTimer(0, cue!.act);
  }
}
