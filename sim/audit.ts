import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { PeerEquality } from '../src/node/services/equality.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { shapeOf } from './cluster.ts';
import type { SimNode } from './node.ts';
import type { QueueServer } from './queue-program.ts';
import type { Scene } from './scene.ts';

/** How many nodes ask. In a large world the others answer only. */
const ASKERS_MAX = 4;
/** A comparison of three tries, and the answer of a peer that is gone, ms. */
const COMPARISON_MS_MAX = 120_000;
/** After this, a peer that is asked counts its rows again (`verifyRecountMs`), ms. */
const RECOUNT_MS = 61_000;
/** Within this, a node that was found to be damaged is whole again, ms. */
const REPAIR_MS = 70_000;

/** Within this, all queued operations are done once the nodes are online, ms. */
const QUEUE_MS_MAX = 60_000;
const STEP_MS = 1000;

export interface AuditDeps {
  readonly scene: Scene;
  readonly random: SeededRandom;
  /** Whether nodes may differ in the document for ever (R9). */
  readonly isAmbiguous: (collection: CollectionName, key: DocumentKey) => boolean;
  /** Where operations of offline queues go, if nodes have queues. */
  readonly server: QueueServer | undefined;
  readonly report: (problem: string) => void;
}

/** Trials of a world at rest, in which all nodes agree: what they say of each other is true, and harm is noticed and mended. */
export class Audit {
  readonly #deps: AuditDeps;
  readonly #collections: readonly CollectionName[];

  constructor(deps: AuditDeps) {
    this.#deps = deps;
    const { collections, keys } = deps.scene;
    this.#collections = collections.filter((name) => !keys.some((key) => deps.isAmbiguous(name, key)));
  }

  async run(): Promise<void> {
    await this.#emptyQueues();
    // Nodes may have compared a moment ago, and say until they count again that something has changed since.
    if (this.#deps.server !== undefined) await this.#pass(RECOUNT_MS);
    await this.#expectEqual('at rest');
    await this.#harm();
  }

  /** Every operation that was queued is done in the end. */
  async #emptyQueues(): Promise<void> {
    const { scene, server, report } = this.#deps;
    if (server === undefined) return;
    const queues = scene.cluster.nodes.flatMap((node) => node.services.queue ?? []);
    for (const queue of queues) queue.setOnline(true);
    for (let ms = 0; queues.some(({ count }) => count > 0) && ms < QUEUE_MS_MAX; ms += STEP_MS)
      await this.#pass(STEP_MS);
    const left = queues.reduce((sum, { count }) => sum + count, 0);
    if (left > 0)
      report(`queue: ${left} operations are still waiting ${QUEUE_MS_MAX / 1000} s after all faults have ended`);
    for (const problem of [...server.problems, ...server.undone()]) report(problem);
  }

  /** I1: nodes that hold the same say so. */
  async #expectEqual(when: string): Promise<void> {
    const { random, scene, report } = this.#deps;
    const askers = shuffled(random, [...scene.cluster.nodes]).slice(0, ASKERS_MAX);
    for (const { asker, peer, collection, verdict } of await this.#verdictsOf(askers))
      if (verdict !== 'equal') report(`${asker} says that ${peer} is ${verdict} in ${collection} ${when}`);
    for (const node of askers)
      if (node.services.different > 0 && this.#collections.length === scene.collections.length)
        report(`${node.key} has an alarm for ${node.services.different} collections ${when}`);
  }

  /** A row that rotted or vanished is noticed from both sides, and comes back. */
  async #harm(): Promise<void> {
    const { random, scene, report } = this.#deps;
    const place = this.#anyDocument();
    if (place === undefined) return;
    const { collection, key, holders } = place;
    const [harmed, peer] = shuffled(random, [...holders]) as [SimNode, SimNode];
    const before = shapeOf(harmed, collection, scene.keys);
    await this.#pass(RECOUNT_MS);
    harmed.store.damage(collection, key, random.pick(['unreadable', 'missing']));
    const life = harmed.replica.id;
    const asker = random.pick([harmed, peer]);
    const verdicts = await this.#verdictsOf([asker]);
    // One that finds the harm itself begins a new life, and may leave before it answers.
    const isNew = harmed.replica.id !== life;
    const isNoticed = verdicts.some(
      (v) => v.collection === collection && (v.verdict === 'different' || (isNew && v.verdict === 'unanswered')),
    );
    if (!isNoticed) report(`${asker.key} does not notice that ${harmed.key} lost ${collection}/${key}`);
    await this.#pass(REPAIR_MS);
    if (shapeOf(harmed, collection, scene.keys) !== before)
      report(`${harmed.key} does not get back ${collection}/${key}`);
    await this.#expectEqual(`after ${harmed.key} was repaired`);
  }

  /** Lets time pass, in which nodes connect again if their sessions end. */
  async #pass(ms: number): Promise<void> {
    const { cluster } = this.#deps.scene;
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      cluster.dial(1);
      await cluster.advance(STEP_MS);
    }
  }

  /** A document that two linked nodes hold. */
  #anyDocument(): { collection: CollectionName; key: DocumentKey; holders: readonly SimNode[] } | undefined {
    const { random, scene } = this.#deps;
    for (const collection of shuffled(random, [...this.#collections]))
      for (const key of shuffled(random, [...scene.keys])) {
        const holders = scene.cluster.nodes.filter(
          (node) => node.wants(collection) && (node.replica.get(collection, key)?.value ?? null) !== null,
        );
        const first = holders[0];
        const second = holders.find((node) => first !== undefined && isLinked(first, node));
        if (first !== undefined && second !== undefined) return { collection, key, holders: [first, second] };
      }
    return undefined;
  }

  async #verdictsOf(
    askers: readonly SimNode[],
  ): Promise<
    { readonly asker: string; readonly peer: string; readonly collection: string; readonly verdict: string }[]
  > {
    const answers: { asker: string; peers: readonly PeerEquality[] }[] = [];
    const failed = (error: unknown): void => this.#deps.report(`a comparison failed: ${String(error)}`);
    let running = askers.length;
    for (const node of askers)
      node.services
        .verify()
        .then((peers) => void answers.push({ asker: node.key, peers }), failed)
        .finally(() => running--);
    for (let ms = 0; running > 0 && ms < COMPARISON_MS_MAX; ms += STEP_MS) await this.#pass(STEP_MS);
    if (running > 0) this.#deps.report(`${running} comparisons of ${askers.length} do not end`);
    return answers.flatMap(({ asker, peers }) =>
      peers.flatMap(({ node: peer, collections }) =>
        collections
          .filter(({ collection }) => this.#collections.includes(collection as CollectionName))
          .map(({ collection, verdict }) => ({ asker, peer, collection, verdict })),
      ),
    );
  }
}

function isLinked(a: SimNode, b: SimNode): boolean {
  return [...a.host.sessions()].some(({ channel }) => channel.peerKey === b.key);
}

function shuffled<T>(random: SeededRandom, items: readonly T[]): T[] {
  const places = items.map((item) => ({ item, at: random.next() }));
  return places.sort((a, b) => a.at - b.at).map(({ item }) => item);
}
