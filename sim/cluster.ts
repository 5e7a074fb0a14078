import { setImmediate as turn } from 'node:timers/promises';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { createManualClock, type ManualClock, type SeededRandom } from '../src/testing/index.ts';
import { type NetworkFaults, VirtualNetwork } from './network.ts';
import { SimNode, type SimNodeOptions } from './node.ts';

/** Time after which the ends of a connection notice that the other one is gone, ms. */
const LINK_CHECK_MS = 500;

/** Nodes, wires and time: a world without events of its own, for random schedules and for scenarios written by hand. */
export class Cluster {
  readonly clock: ManualClock = createManualClock();
  readonly network: VirtualNetwork;
  readonly nodes: SimNode[] = [];
  readonly #random: SeededRandom;
  readonly #links = new Set<string>();

  constructor(random: SeededRandom, faults: NetworkFaults) {
    this.#random = random;
    this.network = new VirtualNetwork(this.clock, random.fork(), faults);
  }

  addNode(options: Omit<SimNodeOptions, 'key' | 'clock' | 'random'>): SimNode {
    const key = `n${this.nodes.length}`;
    const node = new SimNode({ ...options, key, clock: this.clock, random: this.#random.fork() });
    this.nodes.push(node);
    return node;
  }

  /** Links that are open, at one end at least. */
  get linkCount(): number {
    return this.#links.size;
  }

  /** Every pair of nodes that can reach each other gets a connection, each with this probability. */
  dial(chance: number): void {
    for (const a of this.nodes)
      for (const b of this.nodes) if (a.key < b.key && this.#random.chance(chance)) this.connect(a, b);
  }

  connect(a: SimNode, b: SimNode): void {
    const link = `${a.key}-${b.key}`;
    if (!a.isUp || !b.isUp || this.#links.has(link)) return;
    const ends = this.network.connect(a.key, b.key);
    if (ends === undefined) return;
    this.#links.add(link);
    a.accept(ends[0]);
    b.accept(ends[1]);
    this.#watchLink(link, a, b);
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

  #watchLink(link: string, a: SimNode, b: SimNode): void {
    const check = (): void => {
      if (hasSession(a, b) && hasSession(b, a)) return void this.clock.setTimer(LINK_CHECK_MS, check);
      closeSessions(a, b);
      closeSessions(b, a);
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

function hasSession(node: SimNode, peer: SimNode): boolean {
  return node.isUp && [...node.host.sessions()].some((s) => s.channel.peerKey === peer.key);
}

function closeSessions(node: SimNode, peer: SimNode): void {
  if (!node.isUp) return;
  for (const session of [...node.host.sessions()]) if (session.channel.peerKey === peer.key) session.close('other');
}
