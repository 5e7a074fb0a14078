import { nextTick } from 'node:process';
import { LIMITS } from '../src/core/config/index.ts';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Channel } from '../src/net/index.ts';
import { chooseLinks, toMeshMember } from '../src/net/peers/index.ts';
import type { SessionRunner } from '../src/sync/index.ts';
import { createManualClock, type ManualClock, type SeededRandom } from '../src/testing/index.ts';
import { type NetworkFaults, VirtualNetwork } from './network.ts';
import { SimNode, type SimNodeOptions } from './node.ts';

/** How often a connection is checked for a lost end, or for a mesh that no longer wants it, ms. */
const LINK_CHECK_MS = 500;

const SETTLED = Promise.resolve();

type LinkEnd = readonly [SimNode, Channel];

/** Which nodes should be linked, and the members from which this was chosen. */
interface Mesh {
  readonly members: readonly { readonly node: SimNode; readonly relaysAll: boolean }[];
  readonly pairs: readonly (readonly [SimNode, SimNode])[];
  readonly names: ReadonlySet<string>;
}

/** Nodes, network and time, without events of its own. Random schedules and hand-written scenarios both drive it. */
export class Cluster {
  readonly clock: ManualClock = createManualClock();
  readonly network: VirtualNetwork;
  readonly nodes: SimNode[] = [];
  readonly #random: SeededRandom;
  readonly #links = new Set<string>();
  #made = 0;
  #mesh = meshOf([]);

  constructor(random: SeededRandom, faults: NetworkFaults) {
    this.#random = random;
    this.network = new VirtualNetwork(this.clock, random.fork(), faults);
  }

  addNode(options: Omit<SimNodeOptions, 'key' | 'clock' | 'random'>): SimNode {
    const key = `n${this.#made++}`;
    const node = new SimNode({ ...options, key, clock: this.clock, random: this.#random.fork() });
    this.nodes.push(node);
    return node;
  }

  /** Removes a node that is down and never comes back. */
  remove(node: SimNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** Also of nodes that have left. */
  get namesEver(): string[] {
    return Array.from({ length: this.#made }, (_, i) => `n${i}`);
  }

  /** Links that are open at one end or both. */
  get linkCount(): number {
    return this.#links.size;
  }

  /** How many pairs of nodes are linked, and how many may be: in a large network each node keeps few links (mesh.ts). */
  linkedPairs(): { readonly count: number; readonly max: number } {
    let ends = 0;
    for (const { host, isUp } of this.nodes)
      if (isUp) ends += new Set([...host.sessions()].map(({ channel }) => channel.peerKey)).size;
    return { count: ends / 2, max: linkedPairsMax(this.nodes) };
  }

  /** Connects each pair of nodes that should be linked and can reach each other, with this probability per pair. */
  dial(chance: number): void {
    for (const [a, b] of this.#currentMesh().pairs) if (this.#random.chance(chance)) this.connect(a, b);
  }

  /** `second` opens a connection next to the first one, as when two nodes dial each other at the same time. */
  connect(a: SimNode, b: SimNode, which: 'first' | 'second' = 'first'): void {
    const link = `${a.key}-${b.key} ${which}`;
    if (a === b || !a.isUp || !b.isUp || this.#links.has(link)) return;
    const ends = this.network.connect(a.key, b.key);
    if (ends === undefined) return;
    this.#links.add(link);
    a.accept(ends[0]);
    b.accept(ends[1]);
    this.#watchLink(link, [
      [a, ends[0]],
      [b, ends[1]],
    ]);
  }

  /** Lets time pass and runs everything that falls due in it, in order. */
  advance(ms: number): Promise<void> {
    const { clock } = this;
    const end = clock.monotonic() + ms;
    return inTurns(() => {
      const next = clock.nextTimerAt();
      const isOver = next === undefined || next > end;
      clock.advance(Math.max(0, (isOver ? end : next) - clock.monotonic()));
      return !isOver;
    });
  }

  #currentMesh(): Mesh {
    const { nodes } = this;
    const { members } = this.#mesh;
    const isCurrent =
      nodes.length === members.length &&
      members.every(({ node, relaysAll }, i) => node === nodes[i] && relaysAll === node.relaysAll);
    if (!isCurrent) this.#mesh = meshOf(nodes);
    return this.#mesh;
  }

  #watchLink(link: string, ends: readonly [LinkEnd, LinkEnd]): void {
    const check = (): void => {
      const isWanted = this.#currentMesh().names.has(pairName(ends[0][0], ends[1][0]));
      if (isWanted && ends.every(([node, channel]) => sessionOn(node, channel) !== undefined))
        return void this.clock.setTimer(LINK_CHECK_MS, check);
      for (const [node, channel] of ends) sessionOn(node, channel)?.close('other');
      this.#links.delete(link);
    };
    this.clock.setTimer(LINK_CHECK_MS, check);
  }
}

/** What readers see in a collection, and the versions it comes from, as text. Equal on nodes that agree. */
export function shapeOf(node: SimNode, collection: CollectionName, keys: readonly DocumentKey[]): string {
  const parts: string[] = [];
  for (const key of keys) {
    const document = node.replica.get(collection, key);
    if (document === undefined || document.value === null) continue;
    const dots = document.versions.filter((v) => v.value !== null).map((v) => `${v.replica.slice(0, 8)}:${v.seq}`);
    parts.push(`${collection}/${key}=${document.value}@${dots.join('+')}`);
  }
  return parts.join(' ');
}

/**
 * Takes steps until one returns false. Each step waits until no promise is left that could continue: `nextTick`, asked for
 * from within a promise continuation, runs after all pending continuations. Unlike an immediate, it does not go through
 * the system's event loop.
 */
function inTurns(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = (): void => {
      try {
        if (step()) SETTLED.then(waitForOthers);
        else resolve();
      } catch (error) {
        reject(error);
      }
    };
    const waitForOthers = (): void => nextTick(take);
    SETTLED.then(waitForOthers);
  });
}

function sessionOn(node: SimNode, channel: Channel): SessionRunner | undefined {
  if (node.isUp) for (const session of node.host.sessions()) if (session.channel === channel) return session;
  return undefined;
}

/** The pairs of nodes that should be linked: all pairs, or in a large network those that `chooseLinks` picks. */
function meshOf(nodes: readonly SimNode[]): Mesh {
  const members = nodes.map((node) => ({ node, relaysAll: node.relaysAll }));
  const places = members.map(({ node, relaysAll }) => toMeshMember(node.key, relaysAll));
  const pairs = nodes.flatMap((a, i) => {
    const chosen = chooseLinks(places[i]!, places.toSpliced(i, 1), LIMITS.fullMeshNodesMax);
    return nodes.filter((b) => a.key < b.key && chosen.has(b.key)).map((b) => [a, b] as const);
  });
  return { members, pairs, names: new Set(pairs.map(([a, b]) => pairName(a, b))) };
}

function linkedPairsMax(nodes: readonly SimNode[]): number {
  const all = nodes.length;
  const relays = nodes.filter(({ relaysAll }) => relaysAll).length;
  if (all <= LIMITS.fullMeshNodesMax || relays <= LIMITS.fullMeshNodesMax) return (all * (all - 1)) / 2;
  return (relays * (Math.log2(relays) + 4)) / 2 + (all - relays) * 3;
}

function pairName(a: SimNode, b: SimNode): string {
  return a.key < b.key ? `${a.key}-${b.key}` : `${b.key}-${a.key}`;
}
