import { isEntglDbError } from '../src/core/errors/index.ts';
import type { SessionCodec } from '../src/sync/index.ts';
import { createSessionCodec } from '../src/sync/index.ts';
import { createSeededRandom, type SeededRandom } from '../src/testing/index.ts';
import { Audit } from './audit.ts';
import { Author } from './author.ts';
import { unequalDespiteKnowledge, unsoundKnowledge } from './checks.ts';
import { Cluster } from './cluster.ts';
import { createObjectCodec, messageText, watchedCodec } from './codecs.ts';
import { describeFailure, describeFinding } from './descriptions.ts';
import { Disks } from './disks.ts';
import { type Campaign, type FaultName, faultSource } from './faults.ts';
import { forgetDeletions, type HealingDeps, heal, stayQuiet } from './healing.ts';
import { History } from './history.ts';
import { LateMail } from './late-mail.ts';
import { LiveOrder } from './live-order.ts';
import { Load } from './load.ts';
import { type NodeWatch, SIM_TIMES, type SimNode } from './node.ts';
import { wrongPasts } from './past-values.ts';
import { drawPlan, type Plan, RESOLVERS } from './plan.ts';
import { QueueServer } from './queue-program.ts';
import { isRefusal } from './refusal.ts';
import {
  hashOf,
  missingReceipts,
  type Scene,
  unlistedLosers,
  unreadableKeys,
  visibleWrites,
  wrongCounts,
  wrongSums,
} from './scene.ts';
import { type Residue, TwinWatch } from './twin-watch.ts';
import { understated } from './understated.ts';
import { whereabouts } from './whereabouts.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly events: number;
  readonly nodesMax: number;
  readonly campaign: Campaign;
  /** Called with a line of text for every step, to follow one seed. */
  readonly trace?: (line: string) => void;
  /** The id of a write. Every step of the trace says where it is. */
  readonly watched?: number;
  /** Whether the trace shows every message too. */
  readonly tellMessages?: boolean;
}

export interface WorldResult {
  readonly seed: number;
  /** What was wrong; empty if nothing was. */
  readonly problems: readonly string[];
  /** The harm that R9 admits: to documents that running twins wrote before they met. */
  readonly residue: Residue;
  /** Hash over the final state of all nodes, the number of frames and the time: the same seed always ends in the same hash. */
  readonly hash: string;
  readonly frames: number;
  /** Pairs of nodes that are linked in the end. */
  readonly links: number;
  readonly writes: number;
  readonly virtualMs: number;
  /** Virtual time from the end of all faults until all nodes agreed, in ms. */
  readonly healMs: number;
}

const PROBE_INTERVAL = 64;
const PROBLEMS_MAX = 20;
/** How many nodes there may be beyond `nodesMax`: by newcomers, and by twins. */
const JOINS_MAX = 2;
const TWINS_MAX = 3;

/** Runs one seed. After the faults everything heals; then all nodes must agree, and nothing may be lost or come back. */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  return new World(options).run();
}

class World {
  readonly #options: WorldOptions;
  readonly #random: SeededRandom;
  readonly #plan: Plan;
  readonly #drawFault: () => FaultName;
  readonly #scene: Scene;
  readonly #cluster: Cluster;
  readonly #history = new History();
  readonly #twins = new TwinWatch(this.#history);
  readonly #order: LiveOrder | undefined;
  readonly #disks: Disks;
  readonly #author: Author;
  readonly #mail: LateMail;
  readonly #load = new Load();
  readonly #server: QueueServer | undefined;
  readonly #problems = new Set<string>();
  #healMs = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
    this.#plan = drawPlan(this.#random, options);
    this.#drawFault = faultSource(this.#random, this.#plan.faults);
    const { collections, keys, network, deleteChance } = this.#plan;
    this.#cluster = new Cluster(this.#random, network);
    this.#scene = { cluster: this.#cluster, history: this.#history, collections, keys };
    this.#server = options.campaign === 'programs' ? new QueueServer() : undefined;
    this.#order = options.campaign === 'calm' ? new LiveOrder(this.#history) : undefined;
    this.#disks = new Disks(
      this.#scene,
      this.#random.fork(),
      (write) => this.#twins.isAmbiguousPlace(write),
      (problem) => void this.#problems.add(problem),
    );
    this.#author = new Author(this.#scene, this.#random.fork(), deleteChance, this.#order);
    this.#mail = new LateMail(this.#scene, this.#random.fork());
    for (let i = 0; i < this.#plan.nodes; i++) this.#makeNode().start();
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
    await this.#settle();
    this.#judge();
    const result = {
      seed: this.#options.seed,
      residue: this.#twins.residue,
      hash: hashOf(this.#scene),
      frames: this.#cluster.network.frames,
      links: this.#cluster.linkedPairs().count,
      writes: this.#history.size,
      virtualMs: this.#cluster.clock.monotonic(),
      healMs: this.#healMs,
    };
    if (this.#problems.size === 0) await this.#audit();
    return { ...result, problems: [...this.#problems].slice(0, PROBLEMS_MAX) };
  }

  #audit(): Promise<void> {
    return new Audit({
      scene: this.#scene,
      random: createSeededRandom(this.#options.seed + 1),
      isAmbiguous: (collection, key) => this.#twins.isAmbiguousPlace({ collection, key }),
      server: this.#server,
      report: (problem) => void this.#problems.add(problem),
    }).run();
  }

  async #meetAll(): Promise<void> {
    this.#cluster.dial(1);
    await this.#cluster.advance(SIM_TIMES.syncIntervalMs * 5);
  }

  async #event(): Promise<void> {
    const fault = this.#drawFault();
    const node = this.#random.pick(this.#nodes);
    this.#trace(`${fault} ${node.key}${whereabouts(this.#scene, this.#options.watched)}`);
    try {
      this.#act(fault, node);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    this.#cluster.dial(this.#plan.dialChance);
    await this.#cluster.advance(this.#random.integer(0, 60));
  }

  #act(fault: FaultName, node: SimNode): void {
    const { integer, pick, chance } = this.#random;
    const { network } = this.#cluster;
    const { collections, keys, retentionMs } = this.#plan;
    switch (fault) {
      case 'write':
        return this.#author.write(node, 1);
      case 'transaction':
        return this.#author.write(node, integer(2, 4));
      case 'purge':
        return node.isUp ? void node.replica.purge(retentionMs, 10) : undefined;
      case 'partition':
        return this.#partition(undefined);
      case 'bridge':
        return this.#partition(node);
      case 'oneWay':
        return network.block(node.key, pick(this.#nodes).key);
      case 'heal':
        return network.heal();
      case 'cut':
        return network.dropAllOf(node.key);
      case 'double':
        return this.#cluster.connect(node, pick(this.#nodes), 'second');
      case 'late':
        return this.#mail.post(node);
      case 'crash':
        return node.isUp ? this.#disks.crash(node) : undefined;
      case 'restart':
        return node.isUp ? undefined : this.#disks.start(node);
      case 'backup':
        return this.#disks.backup(node);
      case 'restore':
        return this.#disks.restore(node);
      case 'wipe':
        return this.#disks.wipe(node);
      case 'damage':
        return this.#disks.damage(node, pick(collections), pick(keys));
      case 'join':
        return this.#nodes.length < this.#options.nodesMax + JOINS_MAX ? void this.#makeNode().start() : undefined;
      case 'leave':
        return this.#nodes.length > 2 ? this.#leave(node) : undefined;
      case 'clockJump':
        node.wallOffsetMs = chance(0.1) ? 10 * 365 * 86_400_000 : integer(-3_600_000, 3_600_000);
        return;
      case 'diskFull':
        return node.store.failCommits(integer(1, 5));
      case 'ioError':
        return chance(0.3) ? node.store.failCommits(1, 'IO_FAILED') : node.store.failFlushes(1);
      case 'narrow':
      case 'widen':
        return this.#setWanted(node, fault === 'widen');
      case 'evict':
        return this.#disks.evict(node, pick(collections));
      case 'clone':
        return this.#clone(node);
      case 'rot':
        return void this.#disks.rot(node, pick(collections), pick(keys));
      case 'borrow':
        return this.#disks.borrow(node);
      case 'fill':
        return node.store.failCommits(Number.POSITIVE_INFINITY);
      case 'room':
        return node.store.failCommits(0);
      case 'upgrade':
        return node.setResolver(pick(RESOLVERS));
      case 'queue':
        return node.isUp ? node.services.queue?.enqueue() : undefined;
      case 'line':
        return node.isUp ? node.services.queue?.setOnline(chance(0.7)) : undefined;
      case 'undo':
        return this.#expect(this.#author.restore(node), node.key);
      case 'compare':
        return this.#compareNow(node);
      case 'pause':
        return;
      default:
        return fault satisfies never;
    }
  }

  /** A comparison among all that goes on. Where no row is ever damaged and no dot has two writes, it finds no difference. */
  #compareNow(node: SimNode): void {
    const { faults, hasTwins } = this.#plan;
    if (!node.isUp) return;
    node.services.verify().then(
      (peers) => {
        if (hasTwins || faults.damage + faults.rot > 0) return;
        for (const { node: peer, collections } of peers)
          for (const { collection, verdict } of collections)
            if (verdict === 'different') this.#problems.add(`${node.key} says that ${peer} differs in ${collection}`);
      },
      (error) => void (isEntglDbError(error, 'DATABASE_CLOSED') || this.#problems.add(`verify failed: ${error}`)),
    );
  }

  /** Splits the nodes into two sides that do not hear each other; a bridge hears both. */
  #partition(bridge: SimNode | undefined): void {
    const side = new Set(this.#nodes.filter(() => this.#random.chance(0.5)));
    for (const a of this.#nodes)
      for (const b of this.#nodes)
        if (side.has(a) !== side.has(b) && a !== bridge && b !== bridge) this.#cluster.network.block(a.key, b.key);
  }

  #setWanted(node: SimNode, isWanted: boolean): void {
    const collection = this.#random.pick(this.#plan.collections);
    if (!node.isUp || !node.mayWant(collection) || node.wants(collection) === isWanted) return;
    if (!node.replica.evictions.isPending(collection)) node.setWanted(collection, isWanted);
  }

  #leave(node: SimNode): void {
    this.#disks.leave(node);
    this.#server?.lostDisk(node.key);
  }

  #clone(node: SimNode): void {
    if (!node.isUp || this.#nodes.length >= this.#options.nodesMax + TWINS_MAX) return;
    const twin = this.#makeNode();
    twin.startTwinOf(node.image());
    this.#twins.cloned(node, twin);
  }

  #makeNode(): SimNode {
    const random = this.#random.fork();
    const { resolver, collections, limits, isChoosy } = this.#plan;
    const isPartial = isChoosy && this.#nodes.length > 0 && random.chance(0.4);
    return this.#cluster.addNode({
      resolver,
      collections: isPartial ? [random.pick(collections)] : null,
      limits,
      createCodec: (key) => this.#createCodec(key),
      followed: collections,
      server: this.#server,
      diskDelayMs: () => (random.chance(0.9) ? random.integer(0, 3) : random.integer(10, 300)),
      watch: this.#watch,
    });
  }

  #createCodec(key: string): SessionCodec {
    const codec = this.#plan.isWire ? createSessionCodec() : createObjectCodec();
    return this.#options.tellMessages
      ? watchedCodec(codec, (message) => this.#trace(`  ${key} > ${messageText(message)}`))
      : codec;
  }

  readonly #watch: NodeWatch = {
    onNewLife: (node, why, take) => {
      this.#trace(`new life at ${node.key}: ${why}`);
      this.#disks.takeLife(node, take);
    },
    onCommit: (node, notice) => {
      this.#load.committed(notice.changed);
      if (notice.origin === 'remote') this.#order?.received(node, notice);
    },
    onReceipt: (receipt) => {
      if (!this.#plan.hasTwins) this.#disks.confirmed(receipt);
    },
    onReload: (node) => {
      this.#trace(`flush failed at ${node.key}`);
      this.#disks.reloaded(node);
    },
  };

  /** Checks all sessions and followers, and two nodes alone and together, while things are going on. */
  #probe(a: SimNode, b: SimNode): void {
    for (const node of this.#nodes) {
      for (const session of node.isUp ? node.host.sessions() : [])
        this.#expect(this.#load.excess(session, node.limits), node.key);
      for (const problem of node.wrongCopies()) this.#expect(problem, node.key);
    }
    for (const problem of wrongPasts(a, this.#history)) this.#problems.add(problem);
    if (!this.#plan.hasTwins) this.#compare(a, b);
    // Comes last: it asks for a flush, which may fail and take back what was just compared.
    this.#disks.look(a);
  }

  #compare(a: SimNode, b: SimNode): void {
    const { collections, keys } = this.#plan;
    if (a.isUp && b.isUp) for (const problem of understated(a, b, this.#scene)) this.#problems.add(problem);
    for (const collection of collections) {
      if ([a, b].some((node) => unreadableKeys(node, collection, keys).length > 0)) continue;
      this.#expect(unsoundKnowledge(a.replica, collection, this.#history), a.key);
      if (a.wants(collection) && b.wants(collection))
        this.#expect(unequalDespiteKnowledge(a.replica, b.replica, collection, keys), `${a.key} and ${b.key}`);
    }
  }

  #expect(problem: string | undefined, who: string): void {
    if (problem !== undefined) this.#problems.add(`${who} ${problem}`);
  }

  async #settle(): Promise<void> {
    const deps: HealingDeps = {
      scene: this.#scene,
      disks: this.#disks,
      resolver: this.#plan.resolver,
      report: (problem) => void this.#problems.add(problem),
      admitsDivergence: (collection, key) => this.#twins.admitsDivergence(collection, key),
    };
    this.#healMs = await heal(deps);
    await stayQuiet(deps);
    await forgetDeletions(this.#scene);
  }

  #judge(): void {
    const { visible, invented } = visibleWrites(this.#scene);
    for (const problem of invented) this.#problems.add(problem);
    for (const finding of this.#history.verdict(visible, this.#nodes))
      if (!this.#twins.admits(finding)) this.#problems.add(describeFinding(finding));
    for (const problem of [...(this.#order?.problems ?? []), ...this.#twins.untold(this.#nodes)])
      this.#problems.add(problem);
    for (const node of this.#nodes) {
      this.#probe(node, this.#random.pick(this.#nodes));
      for (const problem of [...wrongSums(node), ...wrongCounts(node), ...unlistedLosers(node, this.#scene)])
        this.#problems.add(problem);
      this.#expect(node.hasToldAll ? undefined : 'has followers that wait for changes for ever', node.key);
      for (const problem of missingReceipts(node, this.#scene)) this.#problems.add(problem);
      for (const failure of node.failures) this.#problems.add(`failure at ${node.key}: ${describeFailure(failure)}`);
    }
  }

  #trace(line: string): void {
    this.#options.trace?.(`${this.#cluster.clock.monotonic()} ${line}`);
  }
}
