// Over 400 lines: one schedule of the virtual world, from its first event to its verdict, reads top to bottom.
import { LIMITS } from '../src/core/config/index.ts';
import { isEntglDbError } from '../src/core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { lww, merge, type Resolver } from '../src/core/merge/index.ts';
import type { MemorySnapshot } from '../src/store/memory/index.ts';
import type { SessionCodec } from '../src/sync/index.ts';
import { createSessionCodec } from '../src/sync/index.ts';
import { createSeededRandom, type SeededRandom } from '../src/testing/index.ts';
import { unequalDespiteKnowledge, unsoundKnowledge } from './checks.ts';
import { Cluster } from './cluster.ts';
import { createObjectCodec, messageText, watchedCodec } from './codecs.ts';
import { type Campaign, drawFault, drawFaults, type FaultMix, type FaultName } from './faults.ts';
import { type Finding, History, hasSeen, includes, nameOf, type TrueWrite, versionsOf } from './history.ts';
import { LiveOrder } from './live-order.ts';
import { overload } from './load.ts';
import { type NodeWatch, SIM_TIMES, type SimNode, SMALL_LIMITS, SPLIT_LIMITS } from './node.ts';
import { ReceiptBook } from './receipt-book.ts';
import { allVersions, disagreements, hashOf, type Scene, unreadableKeys, visibleWrites, wrongSums } from './scene.ts';
import { type Residue, TwinWatch } from './twin-watch.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly events: number;
  readonly nodesMax: number;
  readonly campaign: Campaign;
  /** Called with every step, for a look at one seed. */
  readonly trace?: (line: string) => void;
  /** A write of which every step of the trace says where it is. */
  readonly watched?: number;
  /** The trace tells of every message too. */
  readonly tellMessages?: boolean;
}

export interface WorldResult {
  readonly seed: number;
  /** What must not be; empty when all is well. */
  readonly problems: readonly string[];
  /** What R9 admits: harm to documents that running twins wrote before they met. */
  readonly residue: Residue;
  /** Over the final state of all nodes and the frames that led there: the same seed ends in the same hash. */
  readonly hash: string;
  readonly frames: number;
  readonly writes: number;
  readonly virtualMs: number;
  /** Virtual time from the end of all faults until all nodes agreed, ms. */
  readonly healMs: number;
}

const HEAL_MS_MAX = 60_000;
const QUIET_MS = 10_000;
const RETENTIONS_MS: readonly number[] = [50, 500, 3_000];
/** Deletions are forgotten so late that none is on its way any more: a transaction that holds one stays whole. */
const CALM_RETENTION_MS = 20_000;
const PROBE_INTERVAL = 64;
const RESOLVERS: readonly Resolver[] = [lww, merge];

/** Runs one seed: chaos first, then everything heals, then all nodes must agree and nothing may be lost or undead. */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  return new World(options).run();
}

class World {
  readonly #options: WorldOptions;
  readonly #random: SeededRandom;
  readonly #cluster: Cluster;
  readonly #history = new History();
  readonly #mix: FaultMix;
  readonly #backups: { readonly node: SimNode; readonly image: MemorySnapshot }[] = [];
  readonly #collections: readonly CollectionName[];
  readonly #keys: readonly DocumentKey[];
  readonly #problems: string[] = [];
  /** Writes that a disk held and gave up: lost if no other disk has them once it is counted. */
  readonly #doomed = new Set<number>();
  readonly #twins = new TwinWatch(this.#history);
  readonly #order: LiveOrder | undefined;
  readonly #resolver: Resolver;
  readonly #isSmall: boolean;
  readonly #isWire: boolean;
  readonly #isChoosy: boolean;
  readonly #receipts = new ReceiptBook(this.#history);
  readonly #retentionMs: number;
  readonly #deleteChance: number;
  #dialChance: number;
  #made = 0;
  #healMs = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
    const { integer, chance, pick } = this.#random;
    const isCalm = options.campaign === 'calm';
    this.#mix = drawFaults(this.#random, options.campaign);
    this.#collections = ['stock', 'sales', 'staff'].slice(0, integer(1, 3)) as CollectionName[];
    this.#keys = Array.from({ length: integer(1, 12) }, (_, i) => `k${i}` as DocumentKey);
    this.#resolver = pick(RESOLVERS);
    this.#retentionMs = isCalm ? CALM_RETENTION_MS : pick(RETENTIONS_MS);
    this.#deleteChance = pick([0.2, 0.4, 0.7]);
    this.#dialChance = pick([0.05, 0.3]);
    this.#isSmall = chance(0.5);
    this.#isWire = chance(0.1);
    this.#isChoosy = options.campaign === 'chaos' && this.#collections.length > 1 && chance(0.3);
    this.#cluster = new Cluster(this.#random, {
      delayMs: [1, 5, 50, 400][integer(0, 3)]!,
      cutChance: isCalm || chance(0.5) ? 0 : this.#random.next() * 0.02,
    });
    this.#order = isCalm ? new LiveOrder(this.#history) : undefined;
    const nodes = integer(2, options.nodesMax);
    for (let i = 0; i < nodes; i++) this.#join();
  }

  get #scene(): Scene {
    return { cluster: this.#cluster, history: this.#history, collections: this.#collections, keys: this.#keys };
  }

  get #nodes(): readonly SimNode[] {
    return this.#cluster.nodes;
  }

  async run(): Promise<WorldResult> {
    if (this.#order !== undefined) await this.#meetAll();
    for (let i = 1; i <= this.#options.events; i++) {
      await this.#event();
      if (i % PROBE_INTERVAL === 0) this.#probe(this.#random.pick(this.#nodes), this.#random.pick(this.#nodes));
    }
    await this.#heal();
    await this.#stayQuiet();
    this.#judge();
    return {
      seed: this.#options.seed,
      problems: [...new Set(this.#problems)].slice(0, 20),
      residue: this.#twins.residue,
      hash: hashOf(this.#scene),
      frames: this.#cluster.network.frames,
      writes: this.#history.size,
      virtualMs: this.#cluster.clock.monotonic(),
      healMs: this.#healMs,
    };
  }

  async #meetAll(): Promise<void> {
    this.#cluster.dial(1);
    await this.#cluster.advance(SIM_TIMES.syncIntervalMs * 5);
  }

  async #event(): Promise<void> {
    const fault = drawFault(this.#random, this.#mix);
    const node = this.#random.pick(this.#nodes);
    this.#trace(`${fault} ${node.key}${this.#whereabouts()}`);
    try {
      this.#act(fault, node);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    this.#cluster.dial(this.#dialChance);
    await this.#cluster.advance(this.#random.integer(0, 60));
  }

  #act(fault: FaultName, node: SimNode): void {
    const { integer, pick } = this.#random;
    const { network } = this.#cluster;
    switch (fault) {
      case 'write':
        return this.#write(node, 1);
      case 'transaction':
        return this.#write(node, integer(2, 4));
      case 'purge':
        return node.isUp ? void node.replica.purge(this.#retentionMs, 10) : undefined;
      case 'partition':
        return this.#partition();
      case 'oneWay':
        return network.block(node.key, pick(this.#nodes).key);
      case 'heal':
        return network.heal();
      case 'cut':
        return network.dropAllOf(node.key);
      case 'crash':
        return node.isUp ? this.#crash(node) : undefined;
      case 'restart':
        return node.isUp ? undefined : this.#start(node);
      case 'backup':
        return this.#backup(node);
      case 'restore':
        return this.#restore(node);
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
      case 'ioError':
        return node.store.failFlushes(1);
      case 'narrow':
      case 'widen':
        return this.#setWanted(node, fault === 'widen');
      case 'evict':
        return this.#evict(node);
      case 'clone':
        return this.#clone(node);
      case 'pause':
        return;
      default:
        return fault satisfies never;
    }
  }

  #partition(): void {
    const side = new Set(this.#nodes.filter(() => this.#random.chance(0.5)));
    for (const a of this.#nodes)
      for (const b of this.#nodes) if (side.has(a) !== side.has(b)) this.#cluster.network.block(a.key, b.key);
  }

  /** One commit; acknowledged when it is durable. */
  #write(node: SimNode, documents: number): void {
    if (!node.isUp) return;
    const wanted = this.#collections.filter((name) => node.wants(name));
    if (wanted.length === 0) return;
    const { replica } = node;
    const places = new Map<string, { collection: CollectionName; key: DocumentKey }>();
    for (let i = 0; i < documents; i++) {
      const place = { collection: this.#random.pick(wanted), key: this.#random.pick(this.#keys) };
      places.set(`${place.collection}/${place.key}`, place);
    }
    const seen = [...places.values()].map((place) => ({
      ...place,
      seen: replica.get(place.collection, place.key)?.versions ?? [],
    }));
    const transaction = this.#made++;
    const writes = seen.map(({ collection, key }) => ({ collection, key, value: this.#value(transaction) }));
    const posBefore = replica.pos;
    const [outcome] = replica.write([{ writes }]);
    if (outcome?.kind !== 'written' || replica.pos === posBefore) return;
    const recorded: TrueWrite[] = [];
    for (const { collection, key, seen: before } of seen) {
      const [written, ...others] = replica.get(collection, key)?.versions ?? [];
      if (written === undefined || others.length > 0 || written === before[0]) continue;
      recorded.push(this.#history.record({ collection, key, author: node.key, transaction, seen: before, written }));
    }
    this.#order?.wrote(node, recorded);
    this.#acknowledge(node, recorded);
  }

  #value(id: number): string | null {
    if (this.#random.chance(this.#deleteChance)) return null;
    return JSON.stringify({ id, [`f${id % 3}`]: id, list: [{ id: `i${id % 2}`, n: id }] });
  }

  #acknowledge(node: SimNode, recorded: readonly TrueWrite[]): void {
    node.replica.flush().then(
      () => {
        for (const write of recorded) write.isAcknowledged = true;
      },
      () => {},
    );
  }

  #crash(node: SimNode): void {
    this.#cluster.network.dropAllOf(node.key);
    const { id } = node.replica;
    const held = this.#heldBy(node);
    node.crash();
    for (const write of this.#history.writes())
      if (
        write.isAcknowledged &&
        write.author === node.key &&
        write.dot.replica === id &&
        held(write) &&
        !includes(node.replica, write)
      )
        this.#problems.push(`lost in a crash: ${node.key} had acknowledged ${nameOf(write)}`);
    this.#problems.push(...this.#receipts.broken(node));
    this.#history.markLost(held, this.#replicas());
    this.#undo(node);
  }

  /** What was never durable did not happen, unless a copy of the disk has it. */
  #undo(node: SimNode): void {
    for (const write of this.#history.writes()) {
      if (write.author !== node.key || write.isAcknowledged || includes(node.replica, write)) continue;
      write.isUndone ||= !this.#nodes.some((n) => n !== node && hasSeen(n.replica, write));
    }
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

  /** A backup counts once all that is in it is durable where it came from: what a crash takes back must be in no copy. */
  #backup(node: SimNode): void {
    if (!node.isUp) return;
    const image = node.image();
    node.replica.flush().then(
      () => this.#backups.push({ node, image }),
      () => {},
    );
  }

  #restore(node: SimNode): void {
    const mine = this.#backups.filter((b) => b.node === node);
    if (mine.length > 0) this.#replaceDisk(node, this.#random.pick(mine).image);
  }

  #replaceDisk(node: SimNode, image: MemorySnapshot | undefined): void {
    const held = this.#heldBy(node);
    for (const write of this.#history.writes()) if (held(write)) this.#doomed.add(write.id);
    if (node.isUp) this.#crash(node);
    this.#receipts.forget(node);
    node.replaceDisk(image);
    this.#start(node);
    this.#history.markLost(held, this.#replicas());
  }

  #damage(node: SimNode): void {
    if (!node.isUp) return;
    const collection = this.#random.pick(this.#collections);
    const key = this.#random.pick(this.#keys);
    if (node.replica.get(collection, key) === undefined) return;
    for (const write of this.#history.writes())
      if (write.key === key && write.collection === collection && includes(node.replica, write))
        this.#doomed.add(write.id);
    node.store.damage(collection, key);
    node.repair(collection, [key]);
  }

  #setWanted(node: SimNode, isWanted: boolean): void {
    const collection = this.#random.pick(this.#collections);
    if (!node.isUp || !node.mayWant(collection) || node.wants(collection) === isWanted) return;
    if (!node.replica.pendingEvictions().includes(collection)) node.setWanted(collection, isWanted);
  }

  /** Refused in life while no other node has confirmed all of it; what others then lose again is lost. */
  #evict(node: SimNode): void {
    const collection = this.#random.pick(this.#collections);
    if (!node.isUp || !node.mayWant(collection) || node.replica.pendingEvictions().includes(collection)) return;
    const mine = this.#history.writes().filter((w) => w.collection === collection && includes(node.replica, w));
    const others = this.#nodes.filter((n) => n !== node && n.wants(collection));
    if (mine.some((write) => !others.some((other) => includes(other.replica, write)))) return;
    for (const write of mine) this.#doomed.add(write.id);
    node.evict(collection);
  }

  #clone(node: SimNode): void {
    if (!node.isUp || this.#nodes.length >= this.#options.nodesMax + 3) return;
    const twin = this.#makeNode();
    twin.startTwinOf(node.image());
    this.#twins.cloned(node, twin);
  }

  #heldBy(node: SimNode): (write: TrueWrite) => boolean {
    const ids = new Set<number>();
    for (const write of this.#history.writes()) if (includes(node.replica, write)) ids.add(write.id);
    return (write) => ids.has(write.id);
  }

  #replicas(): SimNode['replica'][] {
    return this.#nodes.map((n) => n.replica);
  }

  /** R9 writes versions again under another name: ground truth follows them by stamp and value. */
  #trackLife(node: SimNode, take: () => void): void {
    const before = new Map<string, number>();
    for (const version of allVersions(node, this.#scene)) {
      const id = this.#history.idOf(version);
      if (id !== undefined) before.set(`${this.#history.writes()[id]!.key}/${version.hlc}/${version.value}`, id);
    }
    take();
    for (const collection of this.#collections)
      for (const key of this.#keys)
        for (const version of versionsOf(node.replica, collection, key)) {
          const id = before.get(`${key}/${version.hlc}/${version.value}`);
          if (id !== undefined && this.#history.idOf(version) === undefined) this.#history.alias(version, id);
        }
  }

  #join(): void {
    this.#makeNode().start();
  }

  #makeNode(): SimNode {
    const random = this.#random.fork();
    const key = `n${this.#nodes.length}`;
    return this.#cluster.addNode({
      resolver: this.#resolver,
      collections:
        this.#isChoosy && this.#nodes.length > 0 && random.chance(0.4) ? [random.pick(this.#collections)] : null,
      limits:
        this.#order === undefined ? (this.#isSmall ? SMALL_LIMITS : LIMITS) : this.#isSmall ? SPLIT_LIMITS : LIMITS,
      createCodec: () => this.#createCodec(key),
      diskDelayMs: () => (random.chance(0.9) ? random.integer(0, 3) : random.integer(10, 300)),
      watch: this.#watch,
    });
  }

  #createCodec(key: string): SessionCodec {
    const codec = this.#isWire ? createSessionCodec() : createObjectCodec();
    return this.#options.tellMessages
      ? watchedCodec(codec, (message) => this.#trace(`  ${key} > ${messageText(message)}`))
      : codec;
  }

  readonly #watch: NodeWatch = {
    onNewLife: (node, why, take) => {
      this.#trace(`new life at ${node.key}: ${why}`);
      const held = this.#heldBy(node);
      this.#receipts.forget(node);
      this.#orCrash(node, () => this.#trackLife(node, take));
      this.#history.markLost((write) => held(write) || this.#doomed.has(write.id), this.#replicas());
    },
    onCommit: (node, notice) => {
      if (notice.origin === 'remote') this.#order?.received(node, notice);
    },
    onReceipt: (receipt) => {
      if (this.#options.campaign !== 'twins') this.#receipts.add(receipt);
    },
    onReload: (node) => {
      this.#trace(`flush failed at ${node.key}`);
      this.#problems.push(...this.#receipts.broken(node));
      this.#undo(node);
      this.#history.markLost((write) => this.#doomed.has(write.id), this.#replicas());
    },
  };

  /** Looks at one node, and at two together, at a moment in the middle of things. */
  #probe(a: SimNode, b: SimNode): void {
    for (const node of this.#nodes)
      for (const session of node.isUp ? node.host.sessions() : [])
        this.#expect(overload(session, node.limits), node.key);
    if (this.#options.campaign === 'twins') return;
    for (const collection of this.#collections) {
      if ([a, b].some((node) => unreadableKeys(node, collection, this.#keys).length > 0)) continue;
      this.#expect(unsoundKnowledge(a.replica, collection, this.#history), a.key);
      if (a.wants(collection) && b.wants(collection))
        this.#expect(unequalDespiteKnowledge(a.replica, b.replica, collection, this.#keys), `${a.key} and ${b.key}`);
    }
  }

  #expect(problem: string | undefined, who: string): void {
    if (problem !== undefined) this.#problems.push(`${who} ${problem}`);
  }

  async #heal(): Promise<void> {
    const { network, clock } = this.#cluster;
    const begun = clock.monotonic();
    this.#dialChance = 1;
    network.heal();
    network.faults = { delayMs: 2, cutChance: 0 };
    for (const node of this.#nodes) {
      node.store.failCommits(0);
      node.store.failFlushes(0);
      if (!node.isUp) this.#start(node);
      this.#scrub(node);
    }
    await this.#converge('with the wants as they were');
    this.#healMs = clock.monotonic() - begun;
    for (const node of this.#nodes)
      for (const collection of this.#collections)
        if (node.mayWant(collection) && !node.wants(collection)) node.setWanted(collection, true);
    await this.#converge('with all wanted again');
  }

  async #converge(when: string): Promise<void> {
    const deadline = this.#cluster.clock.monotonic() + HEAL_MS_MAX;
    for (let agreed = 0; this.#cluster.clock.monotonic() < deadline; ) {
      this.#cluster.dial(1);
      await this.#cluster.advance(1000);
      agreed = disagreements(this.#scene).length === 0 ? agreed + 1 : 0;
      if (agreed === 2) return;
    }
    const isAdmitted = disagreements(this.#scene).every(({ collection, key }) =>
      this.#twins.admitsDivergence(collection, key),
    );
    if (!isAdmitted)
      this.#problems.push(
        `diverged ${HEAL_MS_MAX / 1000} s after healing, ${when}: ${disagreements(this.#scene).map(({ what }) => what)}`,
      );
  }

  /** Nodes that agree have nothing to say but that they are there: no storm of rounds, no echo without end. */
  async #stayQuiet(): Promise<void> {
    for (let ms = 0; ms < SIM_TIMES.peerSilenceMsMax + SIM_TIMES.syncIntervalMs; ms += 1000) {
      this.#cluster.dial(1);
      await this.#cluster.advance(1000);
    }
    const { frames } = this.#cluster.network;
    await this.#cluster.advance(QUIET_MS);
    const rounds = Math.ceil(QUIET_MS / SIM_TIMES.syncIntervalMs) + 1;
    const pings = Math.ceil(QUIET_MS / SIM_TIMES.pingIntervalMs) + 1;
    const framesMax = this.#cluster.linkCount * (rounds * 4 + pings * 4);
    const sent = this.#cluster.network.frames - frames;
    if (sent > framesMax)
      this.#problems.push(`storm: ${sent} frames in ${QUIET_MS / 1000} s of rest, at most ${framesMax} are due`);
  }

  /** What the background scrub does: rows that cannot be read are repaired (R11). */
  #scrub(node: SimNode): void {
    for (const collection of this.#collections) {
      const damaged = unreadableKeys(node, collection, this.#keys);
      if (damaged.length > 0) node.repair(collection, damaged);
    }
  }

  #judge(): void {
    const { visible, invented } = visibleWrites(this.#scene);
    this.#problems.push(...invented);
    for (const finding of this.#history.verdict(visible, this.#replicas()))
      if (!this.#twins.admits(finding)) this.#problems.push(describeFinding(finding));
    this.#problems.push(...(this.#order?.problems ?? []), ...this.#twins.untold());
    for (const node of this.#nodes) {
      this.#probe(node, this.#random.pick(this.#nodes));
      this.#problems.push(...wrongSums(node));
      for (const failure of node.failures) this.#problems.push(`failure at ${node.key}: ${describeFailure(failure)}`);
    }
  }

  /** Of each node: whether it is up, its id, what it knows of the watched write's author, and what it has in its place. */
  #whereabouts(): string {
    const write = this.#history.writes()[this.#options.watched ?? -1];
    if (write === undefined) return '';
    const { collection, key, dot } = write;
    const states = this.#nodes.map((node) => {
      const known = node.replica.collection(collection).knowledge.get(dot.replica)?.seq ?? 0;
      const versions = versionsOf(node.replica, collection, key).map(
        (v) => `#${this.#history.idOf(v)}${v.value === null ? '-' : ''}@${v.replica.slice(0, 6)}:${v.seq}`,
      );
      return `${node.key}${node.isUp ? '' : '(down)'}=${node.replica.id.slice(0, 6)} knows ${known} has ${versions.join('+')}`;
    });
    const flags = `${write.isAcknowledged ? ' acknowledged' : ''}${write.isLost ? ' lost' : ''}${write.isUndone ? ' undone' : ''}`;
    return `\n    #${write.id}${flags} | ${states.join(' | ')}`;
  }

  #trace(line: string): void {
    this.#options.trace?.(`${this.#cluster.clock.monotonic()} ${line}`);
  }
}

/** A disk that is full or broken refuses work; that is no problem as long as it says so. */
function isRefusal(error: unknown): boolean {
  return (['DISK_FULL', 'IO_FAILED', 'DOCUMENT_CORRUPT'] as const).some((reason) => isEntglDbError(error, reason));
}

function describeFinding({ kind, write }: Finding): string {
  const what =
    kind === 'zombie' ? 'was replaced knowingly and is visible (I2)' : 'was acknowledged and is nowhere (I3)';
  return `${kind}: write ${nameOf(write)} ${what}`;
}

function describeFailure(failure: unknown): string {
  return failure instanceof Error ? `${failure.name}: ${failure.message}\n${failure.stack}` : String(failure);
}
