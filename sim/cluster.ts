import { nextTick } from 'node:process';
import { LIMITS } from '../src/core/config/index.ts';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Channel } from '../src/net/index.ts';
import { chooseLinks, toMeshMember } from '../src/net/peers/index.ts';
import type { SessionRunner } from '../src/sync/index.ts';
import { createManualClock, type ManualClock, type SeededRandom } from '../src/testing/index.ts';
import { type NetworkFaults, VirtualNetwork } from './network.ts';
import { SimNode, type SimNodeOptions } from './node.ts';

/** Time after which the ends of a connection notice that the other one is gone, or that the mesh wants it no more, ms. */
const LINK_CHECK_MS = 500;

/** Nodes, wires and time: a world without events of its own, for random schedules and for scenarios written by hand. */
export class Cluster {
  readonly clock: ManualClock = createManualClock();
  readonly network: VirtualNetwork;
  readonly nodes: SimNode[] = [];
  readonly #random: SeededRandom;
  readonly #links = new Set<string>();
  #made = 0;
  /** Pairs of nodes that should be linked, and what they were chosen by. */
  #mesh: readonly (readonly [SimNode, SimNode])[] = [];
  #meshOf = '';

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

  /** The node is down, and comes back no more. */
  remove(node: SimNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** Links that are open, at one end at least. */
  get linkCount(): number {
    return this.#links.size;
  }

  /** Every pair of nodes that should be linked and can reach each other gets a connection, each with this probability. */
  dial(chance: number): void {
    for (const [a, b] of this.#pairs()) if (this.#random.chance(chance)) this.connect(a, b);
  }

  /** `second`: beside the first one, as while two nodes have dialled each other at once. */
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

  /** Lets time pass; everything that falls due in it happens, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    await turn();
    for (;;) {
      const next = this.clock.nextTimerAt();
      if (next === undefined || next > end) break;
      this.clock.advance(Math.max(0, next - this.clock.monotonic()));
      await turn();
    }
    this.clock.advance(Math.max(0, end - this.clock.monotonic()));
  }

  #pairs(): readonly (readonly [SimNode, SimNode])[] {
    const roles = this.nodes.map((node) => `${node.key} ${node.relaysAll}`).join();
    if (roles !== this.#meshOf) this.#mesh = meshOf(this.nodes);
    this.#meshOf = roles;
    return this.#mesh;
  }

  #watchLink(link: string, ends: readonly (readonly [SimNode, Channel])[]): void {
    const check = (): void => {
      const isWanted = this.#pairs().some((pair) => ends.every(([node]) => pair.includes(node)));
      if (isWanted && ends.every(([node, channel]) => sessionOn(node, channel) !== undefined))
        return void this.clock.setTimer(LINK_CHECK_MS, check);
      for (const [node, channel] of ends) sessionOn(node, channel)?.close('other');
      this.#links.delete(link);
    };
    this.clock.setTimer(LINK_CHECK_MS, check);
  }
}

/** What readers see of a collection and which versions they see it from, as text: equal on nodes that agree. */
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
 * Waits until no promise that could go on is left. A tick that a promise's continuation asks for comes when all others have
 * had their turn, and unlike an immediate it does not go through the event loop of the system.
 */
async function turn(): Promise<void> {
  await undefined;
  return new Promise((resolve) => nextTick(resolve));
}

function sessionOn(node: SimNode, channel: Channel): SessionRunner | undefined {
  return node.isUp ? [...node.host.sessions()].find((session) => session.channel === channel) : undefined;
}

/** Pairs of nodes that should be linked: all of them, or those that large networks choose. */
function meshOf(nodes: readonly SimNode[]): (readonly [SimNode, SimNode])[] {
  const members = nodes.map((node) => toMeshMember(node.key, node.relaysAll));
  return nodes.flatMap((a, i) => {
    const chosen = chooseLinks(members[i]!, members.toSpliced(i, 1), LIMITS.fullMeshNodesMax);
    return nodes.filter((b) => a.key < b.key && chosen.has(b.key)).map((b) => [a, b] as const);
  });
}
