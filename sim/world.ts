import { createHash } from 'node:crypto';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { isEntglDbError } from '../src/core/errors/index.ts';
import { lww } from '../src/core/merge/index.ts';
import type { NewLife } from '../src/database/replica/index.ts';
import type { MemorySnapshot } from '../src/store/memory/index.ts';
import { createManualClock, createSeededRandom, type ManualClock, type SeededRandom } from '../src/testing/index.ts';
import { type Campaign, drawFault, drawFaults, type FaultMix, type FaultName } from './faults.ts';
import { History, includes, type TrueWrite, versionsOf } from './history.ts';
import { VirtualNetwork } from './network.ts';
import { settle, SimNode } from './node.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly events: number;
  readonly nodesMax: number;
  readonly campaign: Campaign;
  /** Called with every step, for a look at one seed. */
  readonly trace?: (line: string) => void;
}

export interface WorldResult {
  readonly seed: number;
  readonly problems: readonly string[];
  /** Over the final state of all nodes: the same seed ends in the same hash. */
  readonly hash: string;
  readonly frames: number;
  readonly writes: number;
  readonly virtualMs: number;
}

const HEAL_MS_MAX = 180_000;
const RETENTION_MS = 3_000;

/** Runs one seed: chaos first, then everything heals, then all nodes must agree and nothing may be lost or undead. */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  return new World(options).run();
}

class World {
  readonly #options: WorldOptions;
  readonly #random: SeededRandom;
  readonly #clock: ManualClock = createManualClock();
  readonly #network: VirtualNetwork;
  readonly #nodes: SimNode[] = [];
  readonly #history = new History();
  readonly #mix: FaultMix;
  readonly #backups: { readonly node: number; readonly image: MemorySnapshot }[] = [];
  readonly #collections: readonly CollectionName[];
  readonly #keys: readonly DocumentKey[];
  readonly #links = new Set<string>();
  readonly #problems: string[] = [];
  /** Writes that were on a row when it was damaged: lost if no other disk has them once the damage is found. */
  readonly #doomed = new Set<number>();
  readonly #resolver: typeof lww;
  readonly #isSmall: boolean;
  #isHealing = false;
  #made = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
    const { integer } = this.#random;
    this.#mix = drawFaults(this.#random, options.campaign);
    this.#collections = ['stock', 'sales', 'staff'].slice(0, integer(1, 3)) as CollectionName[];
    this.#keys = Array.from({ length: integer(1, 12) }, (_, i) => `k${i}` as DocumentKey);
    this.#resolver = this.#random.chance(0.3) ? lww : lww;
    this.#isSmall = this.#random.chance(0.5);
    this.#network = new VirtualNetwork(this.#clock, this.#random.fork(), {
      delayMs: [1, 5, 50, 400][integer(0, 3)]!,
      cutChance: this.#random.chance(0.5) ? 0 : this.#random.next() * 0.02,
    });
    const nodes = integer(2, options.nodesMax);
    for (let i = 0; i < nodes; i++) this.#join();
  }

  async run(): Promise<WorldResult> {
    for (let i = 0; i < this.#options.events; i++) await this.#event();
    await this.#heal();
    const { hash, visible } = this.#finalState();
    this.#problems.push(...this.#history.verdict(visible, this.#nodes.map((n) => n.replica)));
    for (const node of this.#nodes) for (const failure of node.failures) this.#problems.push(`failure at ${node.key}: ${describe(failure)}`);
    return {
      seed: this.#options.seed,
      problems: [...new Set(this.#problems)].slice(0, 20),
      hash,
      frames: this.#network.frames,
      writes: this.#history.size,
      virtualMs: this.#clock.monotonic(),
    };
  }

  async #event(): Promise<void> {
    const fault = drawFault(this.#random, this.#mix);
    const n = this.#random.integer(0, this.#nodes.length - 1);
    const node = this.#nodes[n]!;
    this.#trace(`${fault} ${node.key}`);
    try {
      this.#act(fault, n, node);
    } catch (error) {
      if (!isEntglDbError(error, 'DISK_FULL') && !isEntglDbError(error, 'IO_FAILED') && !isEntglDbError(error, 'DOCUMENT_CORRUPT')) throw error;
    }
    await this.#advance(this.#random.integer(0, 60));
  }

  #act(fault: FaultName, n: number, node: SimNode): void {
    const { integer, pick } = this.#random;
    switch (fault) {
      case 'write':
        return node.isUp ? this.#write(node, 1) : undefined;
      case 'transaction':
        return node.isUp ? this.#write(node, integer(2, 4)) : undefined;
      case 'purge':
        return node.isUp ? void node.replica.purge(RETENTION_MS, 10) : undefined;
      case 'partition': {
        const side = new Set(this.#nodes.filter(() => this.#random.chance(0.5)).map((x) => x.key));
        for (const a of this.#nodes) for (const b of this.#nodes) if (side.has(a.key) !== side.has(b.key)) this.#network.block(a.key, b.key);
        return;
      }
      case 'oneWay':
        return this.#network.block(node.key, pick(this.#nodes).key);
      case 'heal':
        return this.#network.heal();
      case 'cut':
        return this.#network.dropAllOf(node.key);
      case 'crash':
        return node.isUp ? this.#crash(node) : undefined;
      case 'restart':
        return node.isUp ? undefined : this.#start(node);
      case 'backup':
        return node.isUp ? void this.#backups.push({ node: n, image: node.image() }) : undefined;
      case 'restore': {
        const mine = this.#backups.filter((b) => b.node === n);
        return mine.length > 0 ? this.#replaceDisk(node, pick(mine).image) : undefined;
      }
      case 'wipe':
        return this.#replaceDisk(node, undefined);
      case 'damage':
        return this.#damage(node);
      case 'join':
        return this.#nodes.length < this.#options.nodesMax + 2 ? void this.#join() : undefined;
      case 'clockJump':
        node.wallOffsetMs = this.#random.chance(0.1) ? 10 * 365 * 86_400_000 : integer(-3_600_000, 3_600_000);
        return;
      case 'diskFull':
        return node.store.failCommits(integer(1, 5));
      case 'clone':
        return this.#clone(node);
      case 'pause':
        return;
      default:
        return fault satisfies never;
    }
  }

  /** One commit; acknowledged when it is durable. */
  #write(node: SimNode, documents: number): void {
    const { replica } = node;
    const collection = this.#random.pick(this.#collections);
    const keys = new Set(Array.from({ length: documents }, () => this.#random.pick(this.#keys)));
    const seen = new Map([...keys].map((key) => [key, replica.get(collection, key)?.versions ?? []]));
    const id = this.#made++;
    const writes = [...keys].map((key) => ({ collection, key, value: this.#random.chance(0.3) ? null : JSON.stringify({ id, [`f${id % 3}`]: id }) }));
    const posBefore = replica.pos;
    const [outcome] = replica.write([{ writes }]);
    if (outcome?.kind !== 'written' || replica.pos === posBefore) return;
    const recorded: TrueWrite[] = [];
    for (const [key, before] of seen) {
      const after = replica.get(collection, key)?.versions ?? [];
      if (after.length === 1 && after[0] !== before[0]) recorded.push(this.#history.record(collection, key, before, after[0]!));
    }
    const { store } = node;
    replica.flush().then(
      () => {
        if (node.store === store) for (const write of recorded) write.isAcknowledged = true;
      },
      () => {},
    );
  }

  #crash(node: SimNode): void {
    this.#network.dropAllOf(node.key);
    const { id } = node.replica;
    const held = this.#heldBy(node);
    node.crash();
    for (const write of this.#history.writes())
      if (write.isAcknowledged && write.dot.replica === id && held(write) && !includes(node.replica, write))
        this.#problems.push(`lost in a crash: ${node.key} had acknowledged write #${write.id}`);
    this.#history.markLost(held, this.#replicas());
    const durableSeq = node.store.load().head?.replica === id ? node.store.load().head!.seq : 0;
    const isSameLife = node.store.load().head?.replica === id;
    for (const write of this.#history.writes())
      if (write.dot.replica === id && !write.isAcknowledged && (!isSameLife || write.dot.seq > durableSeq)) write.isUndone = true;
  }

  /** A node that cannot even start, its disk being full, stays down until the next try. */
  #start(node: SimNode): void {
    this.#orCrash(node, () => this.#trackLife(node, () => node.start()));
  }

  /** Taking a new life needs a commit: where that fails the process ends, and the next start finds the same reason. */
  #orCrash(node: SimNode, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!isEntglDbError(error, 'DISK_FULL')) throw error;
      if (node.isUp) this.#crash(node);
    }
  }

  #replaceDisk(node: SimNode, image: MemorySnapshot | undefined): void {
    const held = this.#heldBy(node);
    if (node.isUp) this.#crash(node);
    node.replaceDisk(image);
    this.#start(node);
    this.#history.markLost(held, this.#replicas());
  }

  #damage(node: SimNode): void {
    if (!node.isUp) return;
    const collection = this.#random.pick(this.#collections);
    const key = this.#random.pick(this.#keys);
    if (node.replica.get(collection, key) === undefined) return;
    for (const write of this.#history.writes()) if (write.key === key && write.collection === collection && includes(node.replica, write)) this.#doomed.add(write.id);
    node.store.damage(collection, key);
    node.repair(collection, [key]);
  }

  #clone(node: SimNode): void {
    if (!node.isUp || this.#nodes.length >= this.#options.nodesMax + 3) return;
    const twin = this.#makeNode();
    twin.startTwinOf(node.image());
  }

  #heldBy(node: SimNode): (write: TrueWrite) => boolean {
    const ids = new Set(this.#history.writes().filter((w) => includes(node.replica, w)).map((w) => w.id));
    return (write) => ids.has(write.id);
  }

  #replicas(): SimNode['replica'][] {
    return this.#nodes.map((n) => n.replica);
  }

  /** R9 writes versions again under another name: ground truth follows them by stamp and value. */
  #trackLife(node: SimNode, take: () => void): void {
    const before = this.#snapshotIds(node);
    take();
    for (const collection of this.#collections)
      for (const key of this.#keys)
        for (const version of versionsOf(node.replica, collection, key)) {
          const id = before.get(`${collection}/${key}/${version.hlc}/${version.value}`);
          if (id !== undefined && this.#history.idOf(version) === undefined) this.#history.alias(version, id);
        }
  }

  #snapshotIds(node: SimNode): Map<string, number> {
    const ids = new Map<string, number>();
    if (!node.replica) return ids;
    for (const collection of this.#collections)
      for (const key of this.#keys)
        for (const version of versionsOf(node.replica, collection, key)) {
          const id = this.#history.idOf(version);
          if (id !== undefined) ids.set(`${collection}/${key}/${version.hlc}/${version.value}`, id);
        }
    return ids;
  }

  #join(): void {
    this.#makeNode().start();
  }

  #makeNode(): SimNode {
    const random = this.#random.fork();
    const node: SimNode = new SimNode({
      key: `n${this.#nodes.length}`,
      clock: this.#clock,
      random,
      resolver: this.#resolver,
      collections: null,
      isSmallLimits: this.#isSmall,
      diskDelayMs: () => (random.chance(0.9) ? random.integer(0, 3) : random.integer(10, 300)),
      onNewLife: (_node: SimNode, why: string, take: () => NewLife) => {
        this.#trace(`new life at ${node.key}: ${why}`);
        const held = this.#heldBy(node);
        this.#orCrash(node, () => this.#trackLife(node, take));
        this.#history.markLost((write) => held(write) || this.#doomed.has(write.id), this.#replicas());
      },
    });
    this.#nodes.push(node);
    return node;
  }

  /** Every pair of nodes that can reach each other gets a connection, after a while. */
  #dial(): void {
    const limit = this.#isHealing ? 1 : 0.3;
    for (const a of this.#nodes)
      for (const b of this.#nodes) {
        const link = `${a.key}-${b.key}`;
        if (a.key >= b.key || !a.isUp || !b.isUp || this.#links.has(link) || !this.#random.chance(limit)) continue;
        const ends = this.#network.connect(a.key, b.key);
        if (ends === undefined) continue;
        this.#links.add(link);
        a.accept(ends[0]);
        b.accept(ends[1]);
        this.#watchLink(link, a, b);
      }
  }

  #watchLink(link: string, a: SimNode, b: SimNode): void {
    const isOpen = (node: SimNode, peer: SimNode): boolean => node.isUp && [...node.host.sessions()].some((s) => s.channel.peerKey === peer.key);
    const check = (): void => {
      if (isOpen(a, b) && isOpen(b, a)) return void this.#clock.setTimer(500, check);
      for (const [x, y] of [[a, b], [b, a]] as const) if (x.isUp) for (const s of [...x.host.sessions()]) if (s.channel.peerKey === y.key) s.close('other');
      this.#links.delete(link);
    };
    this.#clock.setTimer(500, check);
  }

  async #advance(ms: number): Promise<void> {
    this.#dial();
    const end = this.#clock.monotonic() + ms;
    for (;;) {
      const next = this.#clock.nextTimerAt();
      if (next === undefined || next > end) break;
      this.#clock.advance(Math.max(0, next - this.#clock.monotonic()));
      await settle();
    }
    this.#clock.advance(Math.max(0, end - this.#clock.monotonic()));
  }

  async #heal(): Promise<void> {
    this.#isHealing = true;
    this.#network.heal();
    this.#network.faults = { delayMs: 2, cutChance: 0 };
    for (const node of this.#nodes) {
      node.store.failCommits(0);
      if (!node.isUp) this.#start(node);
      this.#scrub(node);
    }
    const deadline = this.#clock.monotonic() + HEAL_MS_MAX;
    while (this.#clock.monotonic() < deadline) {
      await this.#advance(1000);
      if (new Set(this.#nodes.map((n) => this.#shape(n))).size === 1) {
        await this.#advance(1000);
        if (new Set(this.#nodes.map((n) => this.#shape(n))).size === 1) return;
      }
    }
    this.#problems.push(`diverged: not equal ${HEAL_MS_MAX / 1000} s after healing\n${this.#nodes.map((n) => `  ${n.key} ${this.#shape(n)}`).join('\n')}`);
  }

  /** What the background scrub does: rows that cannot be read are repaired (R11). */
  #scrub(node: SimNode): void {
    for (const collection of this.#collections) {
      const damaged = this.#keys.filter((key) => !isReadable(node, collection, key));
      if (damaged.length > 0) node.repair(collection, damaged);
    }
  }

  /** What readers see and which versions they see it from, as text. */
  #shape(node: SimNode): string {
    const parts: string[] = [];
    for (const collection of this.#collections)
      for (const key of this.#keys) {
        const document = node.replica.get(collection, key);
        if (document === undefined || document.value === null) continue;
        const dots = document.versions.filter((v) => v.value !== null).map((v) => `${v.replica.slice(0, 8)}:${v.seq}`);
        parts.push(`${collection}/${key}=${document.value}@${dots.join('+')}`);
      }
    return parts.join(' ');
  }

  #finalState(): { hash: string; visible: Set<number> } {
    const visible = new Set<number>();
    for (const node of this.#nodes)
      for (const collection of this.#collections)
        for (const key of this.#keys)
          for (const version of versionsOf(node.replica, collection, key)) {
            const id = version.value === null ? undefined : this.#history.idOf(version);
            if (id !== undefined) visible.add(id);
            else if (version.value !== null) this.#problems.push(`invented: ${node.key} shows a version that nobody wrote: ${version.value}`);
          }
    const text = this.#nodes.map((n) => this.#shape(n)).join('\n');
    return { hash: createHash('sha256').update(`${text}|${this.#network.frames}`).digest('hex').slice(0, 16), visible };
  }

  #trace(line: string): void {
    this.#options.trace?.(`${this.#clock.monotonic()} ${line}`);
  }
}

function isReadable(node: SimNode, collection: CollectionName, key: DocumentKey): boolean {
  try {
    node.replica.get(collection, key);
    return true;
  } catch (error) {
    if (isEntglDbError(error, 'DOCUMENT_CORRUPT')) return false;
    throw error;
  }
}

function describe(failure: unknown): string {
  return failure instanceof Error ? `${failure.name}: ${failure.message}\n${failure.stack}` : String(failure);
}
