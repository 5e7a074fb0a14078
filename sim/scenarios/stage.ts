import { LIMITS, type Limits } from '../../src/core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../src/core/ids/index.ts';
import { lww } from '../../src/core/merge/index.ts';
import type { Version } from '../../src/core/version/index.ts';
import type { Message } from '../../src/net/messages/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { unequalDespiteKnowledge } from '../checks.ts';
import { Cluster } from '../cluster.ts';
import { createObjectCodec, watchedCodec } from '../codecs.ts';
import type { NodeWatch, SimNode } from '../node.ts';

export const STOCK: CollectionName = 'stock' as CollectionName;

/** Nodes that do what a scenario says and nothing else: they meet when told, and every message can be waited for. */
export class Stage {
  readonly cluster: Cluster = new Cluster(createSeededRandom(1), { delayMs: 1, cutChance: 0 });
  readonly #keys = new Set<DocumentKey>();
  readonly #cues: { readonly node: SimNode; readonly fits: (message: Message) => boolean; readonly act: () => void }[] =
    [];
  #made = 0;

  node(limits: Limits = LIMITS): SimNode {
    const key = `n${this.cluster.nodes.length}`;
    const node = this.cluster.addNode({
      resolver: lww,
      collections: null,
      limits,
      createCodec: () => watchedCodec(createObjectCodec(), (message) => this.#sent(key, message)),
      diskDelayMs: () => 1,
      watch: QUIET,
    });
    node.start();
    return node;
  }

  /** A running copy of the node's disk, marker and all. */
  twinOf(node: SimNode): SimNode {
    const twin = this.node();
    twin.stop();
    twin.startTwinOf(node.image());
    return twin;
  }

  put(node: SimNode, key: string, value: string | null = JSON.stringify({ n: ++this.#made })): void {
    this.#keys.add(key as DocumentKey);
    node.replica.write([{ writes: [{ collection: STOCK, key: key as DocumentKey, value }] }]);
  }

  delete(node: SimNode, key: string): void {
    this.put(node, key, null);
  }

  /** Forgets every deletion that is known whole. */
  purge(node: SimNode): void {
    node.replica.purge(-1, 1000);
  }

  versions(node: SimNode, key: string): readonly Version[] {
    return node.replica.get(STOCK, key as DocumentKey)?.versions ?? [];
  }

  has(node: SimNode, key: string): boolean {
    return this.versions(node, key).some((version) => version.value !== null);
  }

  /** A version travels outside of any session that takes part: late, as another peer would bring it. */
  carry(version: Version, key: string, to: SimNode): void {
    to.replica.applyRemote([{ ...version, collection: STOCK, key: key as DocumentKey }], [], {});
  }

  /** These nodes talk until they have nothing more to say, then part. */
  async meet(...nodes: SimNode[]): Promise<void> {
    for (const a of nodes) for (const b of nodes) if (a.key < b.key) this.cluster.connect(a, b);
    await this.cluster.advance(10_000);
    await this.part();
  }

  async part(): Promise<void> {
    for (const node of this.cluster.nodes) this.cluster.network.dropAllOf(node.key);
    await this.cluster.advance(2_000);
  }

  /** The first time that the node sends such a message, `act` happens right after it has left. */
  cue(node: SimNode, fits: (message: Message) => boolean, act: () => void): void {
    this.#cues.push({ node, fits, act });
  }

  /** Documents on which nodes differ although they know the same. */
  differences(a: SimNode, b: SimNode): string[] {
    const difference = unequalDespiteKnowledge(a.replica, b.replica, STOCK, [...this.#keys]);
    return difference === undefined ? [] : [`${a.key} and ${b.key}: ${difference}`];
  }

  #sent(key: string, message: Message): void {
    const index = this.#cues.findIndex(({ node, fits }) => node.key === key && fits(message));
    if (index < 0) return;
    const [cue] = this.#cues.splice(index, 1);
    this.cluster.clock.setTimer(0, cue!.act);
  }
}

const QUIET: NodeWatch = {
  onNewLife: (_node, _why, take) => void take(),
  onCommit: () => {},
  onReceipt: () => {},
  onReload: () => {},
};
