import type { Clock } from '../src/core/clock/index.ts';
import { type Limits, TIMES } from '../src/core/config/index.ts';
import { isEntglDbError } from '../src/core/errors/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../src/core/ids/index.ts';
import { silentLogger } from '../src/core/logging/index.ts';
import type { Resolver } from '../src/core/merge/index.ts';
import type { ForkProof } from '../src/core/replication/index.ts';
import { HistoryLog, type HistorySettings } from '../src/database/history/index.ts';
import { Wants } from '../src/database/index.ts';
import { type CommitNotice, type NewLife, Replica } from '../src/database/replica/index.ts';
import type { Channel } from '../src/net/index.ts';
import type { Receipts } from '../src/resilience/receipts/index.ts';
import {
  createMemoryStore,
  type MemorySnapshot,
  type MemoryStore,
  type MemoryStoreOptions,
  memoryStoreFromSnapshot,
} from '../src/store/memory/index.ts';
import { PROTOCOL, type SessionCodec, type SessionEvent, type SessionRunner, SyncHost } from '../src/sync/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { Follower } from './follower.ts';
import type { QueueServer } from './queue-program.ts';
import { RoundWatch } from './round-watch.ts';
import { Services } from './services.ts';
import { workOn } from './work-on.ts';

export interface SimNodeOptions {
  readonly key: string;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly resolver: Resolver;
  readonly limits: Limits;
  /** The only collections that it ever wants; null: all. */
  readonly collections: readonly CollectionName[] | null;
  readonly createCodec: (key: string) => SessionCodec;
  readonly diskDelayMs: () => number;
  /** Collections whose changes a program on the node follows. Default: none. */
  readonly followed?: readonly CollectionName[];
  /** Where its operations go. Default: it has no queue, and keeps no history. */
  readonly server?: QueueServer | undefined;
  readonly watch: NodeWatch;
}

/** A node's word that it has made durable what a replica wrote in one collection, up to this seq. */
export interface Receipt {
  readonly node: string;
  /** The node's own replica id when it said so. */
  readonly life: ReplicaId;
  readonly collection: CollectionName;
  readonly replica: ReplicaId;
  readonly seq: number;
}

/** What a node was told of one of its ids. */
export interface Told {
  readonly why: ForkProof['why'] | 'damage' | 'evict' | 'evidence';
  readonly replica: ReplicaId;
}

/** Whether it learned of a twin by that, or of its own rollback. */
export function isOfTwin({ why }: Told): boolean {
  return why !== 'damage' && why !== 'evict';
}

/** What a node reports to its world. */
export interface NodeWatch {
  /** The replica is about to take a new id; `take` does it. */
  onNewLife(node: SimNode, why: string, take: () => NewLife): void;
  onCommit(node: SimNode, notice: CommitNotice): void;
  /** A session got a receipt. */
  onReceipt(receipt: Receipt): void;
  /** A flush failed and the replica went back to what is durable. */
  onReload(node: SimNode): void;
}

export const SIM_TIMES = { ...TIMES, syncIntervalMs: 2000 };

/** How many replaced values of each document a node keeps, if it keeps any. */
export const HISTORY: HistorySettings = { versions: 50, keptMs: 30 * 86_400_000 };

/** R10: a clock that is less off counts as confirmed by others, so that stamps also go back a little too far. */
const DAY_MS = 86_400_000;

/** Rows of a damaged collection counted in one step: few, so that much else happens in between. */
const RECOUNT_ROWS = 2;

/** A node of the virtual world: the real engine, sessions and host on a virtual disk. */
export class SimNode {
  readonly key: string;
  readonly #options: SimNodeOptions;
  #resolver: Resolver;
  store: MemoryStore;
  replica!: Replica;
  host!: SyncHost;
  services!: Services;
  /** The values that readers saw before, if it keeps them. */
  past: HistoryLog | undefined;
  readonly rounds: RoundWatch;
  /** Undefined before the first start. */
  #wants: Wants | undefined;
  isUp = false;
  wallOffsetMs = 0;
  failures: unknown[] = [];
  readonly #followers: readonly Follower[];
  /** Why it took new ids, and which of its former ids turned out to be used by another node (R9). */
  readonly told: Told[] = [];
  /** How often its disk was replaced by another one. */
  replacedDisks = 0;
  #starts = 0;
  /** R9 at open: the id that a copied disk came with, under which it must not go on. */
  #sealed: ReplicaId | undefined;

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.#resolver = options.resolver;
    this.key = options.key;
    this.store = createMemoryStore(this.#storeOptions());
    const { clock, followed = [] } = options;
    this.rounds = new RoundWatch(clock);
    this.#followers = followed.map((collection) => new Follower(collection, clock, (error) => this.#failed(error)));
  }

  get clock(): Clock {
    const { clock } = this.#options;
    return {
      now: () => clock.now() + this.wallOffsetMs,
      monotonic: () => clock.monotonic(),
      setTimer: (ms, run) => clock.setTimer(ms, run),
    };
  }

  get limits(): Limits {
    return this.#options.limits;
  }

  get receipts(): Receipts {
    return this.services.receipts;
  }

  /** Whether the node synchronizes the collection now. */
  wants(collection: CollectionName): boolean {
    return this.#wants!.has(collection);
  }

  /** What its beacons would say, if the simulation sent any. */
  get relaysAll(): boolean {
    return this.#wants?.isAll ?? this.#options.collections === null;
  }

  mayWant(collection: CollectionName): boolean {
    const { collections } = this.#options;
    return collections === null || collections.includes(collection);
  }

  start(): void {
    this.#open(this.store.load().head?.replica !== this.#sealed);
    const startId = `${this.key}-${++this.#starts}`;
    const { replica } = this;
    const { clock, limits, createCodec, random, server } = this.#options;
    this.host = new SyncHost({
      replica,
      clock: this.clock,
      logger: silentLogger,
      limits,
      times: SIM_TIMES,
      hello: () => ({
        kind: 'hello',
        protocol: PROTOCOL,
        node: this.key,
        replica: replica.id,
        startId,
        wallMs: 0,
        collections: this.#options.collections,
        capabilities: [],
        resolvers: new Map([['*', `${this.#resolver.name}@${this.#resolver.revision}`]]),
      }),
      definitions: () => new Map(),
      createCodec: () => createCodec(this.key),
      soon: (run) => void clock.setTimer(0, run),
      flush: () => replica.flush(),
      durableCommits: () => replica.durableCommits,
      onForked: (proof) => this.#forked(proof),
      onEvidence: (fork, whose) => {
        if (whose === 'former') this.told.push({ why: 'evidence', replica: fork.replica });
      },
      onFailure: (error) => this.#failed(error),
      onEvent: (event, session) => this.#followed(event, session),
      onSessionClose: (_reason, { channel }) => {
        const isOver = ![...this.host.sessions()].some((other) => other.channel.peerKey === channel.peerKey);
        if (isOver) this.services.left(channel.peerKey);
      },
    });
    const { host } = this;
    this.services = new Services({
      replica,
      node: this.key,
      clock: this.clock,
      limits,
      sessions: () => [...host.sessions()],
      repair: (collection, keys) => this.repair(collection, keys),
      programs: server && { server, random },
    });
    replica.onCommit((notice) => {
      host.committed();
      this.#options.watch.onCommit(this, notice);
    });
    const recountAll = (): void =>
      replica.damaged.uncounted().forEach((collection) => void this.#recountOn(collection));
    replica.onReload(() => {
      this.#options.watch.onReload(this);
      // As maintenance does with its next pass: the reload may have taken back the last page.
      this.#resolveStale();
      recountAll();
    });
    this.isUp = true;
    for (const follower of this.#followers) follower.start(replica);
    for (const collection of replica.evictions.pending()) this.#evictOn(collection);
    recountAll();
    this.#resolveStale();
  }

  accept(channel: Channel): void {
    this.host.accept(channel);
  }

  /**
   * Power cut: of the commits that were not durable, only the first `kept` survive. From then on, `replica` shows what is on
   * the disk.
   */
  crash(kept = 0): void {
    this.stop();
    this.store = this.store.crash(kept);
    this.#open(true);
  }

  /** The process ends and its disk is replaced: the next start finds `image`, or an empty disk. */
  replaceDisk(image: MemorySnapshot | undefined): void {
    if (this.isUp) this.stop();
    this.replacedDisks++;
    this.#options.server?.lostDisk(this.key);
    const options = this.#storeOptions();
    this.store = image === undefined ? createMemoryStore(options) : memoryStoreFromSnapshot(image, options);
    this.#sealed = this.store.load().head?.replica;
    this.#open(true);
  }

  image(): MemorySnapshot {
    return this.store.snapshot();
  }

  /** Starts as a twin: with a copy of the disk and its marker, as on a cloned machine. */
  startTwinOf(image: MemorySnapshot): void {
    this.store = memoryStoreFromSnapshot(image, this.#storeOptions());
    this.start();
  }

  stop(): void {
    this.host.closeAll('closing');
    this.services.stop();
    for (const follower of this.#followers) follower.stop();
    this.isUp = false;
  }

  /** What programs that follow its changes were told wrongly. */
  wrongCopies(): string[] {
    return this.isUp ? this.#followers.flatMap((follower) => follower.difference(this.replica) ?? []) : [];
  }

  /** Whether programs that follow its changes were told everything. */
  get hasToldAll(): boolean {
    return this.#followers.every((follower) => follower.hasAll(this.replica));
  }

  /** R11: rows turned out to be unreadable. */
  repair(collection: CollectionName, keys: readonly DocumentKey[]): void {
    this.host.closeAll('damage');
    this.#newLife('damage', () => this.replica.damaged.forget(collection, keys, 'a damaged row'));
    this.#recountOn(collection);
  }

  /** R11: recounts the collection's sums slice by slice, while everything else goes on. */
  #recountOn(collection: CollectionName): void {
    const { replica } = this;
    this.#work(() => {
      const damaged = replica.damaged.count(collection, RECOUNT_ROWS);
      if (damaged !== null && damaged.length > 0) this.repair(collection, damaged);
      return damaged !== null;
    });
  }

  /** R12: while it is not wanted, rows and knowledge stay as they are; once wanted again, they go on from there. */
  setWanted(collection: CollectionName, isWanted: boolean): void {
    this.replica.setWanted(collection, isWanted);
    this.host.closeAll('wants');
  }

  /** R12: gives up knowledge of the collection, then drops its rows slice by slice. */
  evict(collection: CollectionName): void {
    this.#newLife('evict', () => this.replica.evictions.begin(collection));
    this.host.closeAll('identity');
    this.#evictOn(collection);
  }

  #evictOn(collection: CollectionName): void {
    const { replica } = this;
    this.#work(() => replica.evictions.dropRows(collection, this.#options.limits.messageVersionsMax));
  }

  /** R3: from now on the program has another resolver. What readers see is resolved again, slice by slice. */
  setResolver(resolver: Resolver): void {
    if (resolver === this.#resolver) return;
    this.#resolver = resolver;
    if (this.isUp) this.#resolveStale();
  }

  #resolveStale(): void {
    for (const collection of this.replica.staleValues.collections()) this.#resolveOn(collection);
  }

  #resolveOn(collection: CollectionName): void {
    const { replica } = this;
    const resolver = this.#resolver;
    let after: DocumentKey | null = null;
    const step = (): boolean => {
      try {
        after = replica.staleValues.resolveAgain(collection, after, this.#options.limits.messageVersionsMax);
      } catch (error) {
        if (!isEntglDbError(error, 'DOCUMENT_CORRUPT')) throw error;
        this.#failed(error);
        return false;
      }
      return after === null;
    };
    this.#work(step, () => this.#resolver === resolver);
  }

  #work(step: () => boolean, isMeant = (): boolean => true): void {
    const { replica, store } = this;
    workOn(
      { clock: this.#options.clock, store, isOver: () => !this.isUp || this.replica !== replica || !isMeant() },
      step,
    );
  }

  #open(isSameLife: boolean): void {
    const { server, limits } = this.#options;
    this.past = server && new HistoryLog(this.store, limits, () => HISTORY);
    this.replica = new Replica({
      store: this.store,
      clock: this.clock,
      random: this.#options.random,
      logger: silentLogger,
      limits,
      clockDriftMsMax: TIMES.clockDriftMsMax,
      isClockConfirmed: () => Math.abs(this.wallOffsetMs) < DAY_MS,
      resolverOf: () => this.#resolver,
      isSameLife,
      ...(this.past && { recorder: this.past }),
    });
    const { collections } = this.#options;
    this.#wants = new Wants(this.replica, collections && new Set(collections));
  }

  #followed(event: SessionEvent, session: SessionRunner): void {
    this.rounds.followed(event, session);
    this.services.followed(event, session);
    const { channel, peer } = session;
    if (event.kind === 'confirmed')
      this.#options.watch.onReceipt({ ...event, node: channel.peerKey, life: peer!.replica });
  }

  #forked(proof: ForkProof): void {
    this.#newLife(proof.why, () => this.replica.takeNewLife(proof.why, 'forked'));
  }

  #newLife(why: Exclude<Told['why'], 'evidence'>, take: () => NewLife): void {
    this.told.push({ why, replica: this.replica.id });
    this.#options.watch.onNewLife(this, why, take);
  }

  #failed(error: unknown): void {
    if (isEntglDbError(error, 'DOCUMENT_CORRUPT')) {
      const { collection, key } = error.details as { collection: CollectionName; key: DocumentKey };
      this.#options.clock.setTimer(0, () => this.isUp && this.repair(collection, [key]));
      return;
    }
    const isOperating = ['DATABASE_CLOSED', 'DISK_FULL', 'IO_FAILED'] as const;
    if (!isOperating.some((reason) => isEntglDbError(error, reason))) this.failures.push(error);
  }

  #storeOptions(): MemoryStoreOptions {
    const { clock, diskDelayMs, limits } = this.#options;
    return { sync: () => new Promise((resolve) => clock.setTimer(diskDelayMs(), resolve)), limits };
  }
}
