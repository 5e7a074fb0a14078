import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../src/core/clock/index.ts';
import { LIMITS, type Limits, TIMES } from '../src/core/config/index.ts';
import { isEntglDbError } from '../src/core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { silentLogger } from '../src/core/logging/index.ts';
import type { Resolver } from '../src/core/merge/index.ts';
import { type NewLife, Replica } from '../src/database/replica/index.ts';
import type { Channel } from '../src/net/index.ts';
import type { Message } from '../src/net/messages/index.ts';
import { createMemoryStore, type MemorySnapshot, type MemoryStore, memoryStoreFromSnapshot } from '../src/store/memory/index.ts';
import { PROTOCOL, SyncHost } from '../src/sync/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import type { ForkProof } from '../src/core/replication/index.ts';

export interface SimNodeOptions {
  readonly key: string;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly resolver: Resolver;
  readonly diskDelayMs: () => number;
  readonly onNewLife: (node: SimNode, why: string, take: () => NewLife) => void;
  readonly isSmallLimits: boolean;
  readonly collections: readonly CollectionName[] | null;
}

/** Limits so small that every path for large things is walked by small ones. */
const SMALL_LIMITS: Limits = { ...LIMITS, messageVersionsMax: 2, messageBytesMax: 200, sessionCreditBytes: 400, rangeListMax: 1, liveGroupBytesMax: 2000, echoMemoryMax: 4 };
const SIM_TIMES = { ...TIMES, syncIntervalMs: 2000 };

/** A node of the virtual world: the real engine, sessions and host on a virtual disk. */
export class SimNode {
  readonly key: string;
  readonly random: SeededRandom;
  readonly #options: SimNodeOptions;
  store: MemoryStore;
  replica!: Replica;
  host!: SyncHost;
  isUp = false;
  wallOffsetMs = 0;
  lives = 0;
  failures: unknown[] = [];

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.key = options.key;
    this.random = options.random;
    this.store = createMemoryStore({ sync: () => this.#sync() });
  }

  get clock(): Clock {
    const { clock } = this.#options;
    return { now: () => clock.now() + this.wallOffsetMs, monotonic: () => clock.monotonic(), setTimer: (ms, run) => clock.setTimer(ms, run) };
  }

  get limits(): Limits {
    return this.#options.isSmallLimits ? SMALL_LIMITS : LIMITS;
  }

  start(): void {
    const { store } = this;
    const life = ++this.lives;
    this.replica = this.#openReplica(!store.identity.fresh);
    this.host = new SyncHost({
      replica: this.replica,
      clock: this.clock,
      logger: silentLogger,
      limits: this.limits,
      times: SIM_TIMES,
      hello: () => ({
        kind: 'hello',
        protocol: PROTOCOL,
        node: this.key,
        replica: this.replica.id,
        life: `${this.key}-${life}`,
        wallMs: 0,
        collections: this.#options.collections,
        capabilities: [],
        resolvers: new Map([['*', 'lww@1']]),
      }),
      createCodec: objectCodec,
      soon: (run) => void this.#options.clock.setTimer(0, run),
      flush: () => this.replica.flush(),
      durablePos: () => this.replica.durablePos,
      onForked: (proof) => this.#forked(proof),
      onEvidence: () => {},
      onFailure: (error) => this.#failed(error),
      onEvent: () => {},
      onSessionClose: () => {},
    });
    const { host } = this;
    this.replica.onCommit(() => host.committed());
    this.isUp = true;
  }

  #openReplica(isSameLife: boolean): Replica {
    return new Replica({
      store: this.store,
      clock: this.clock,
      random: this.random,
      logger: silentLogger,
      limits: this.limits,
      clockDriftMsMax: TIMES.clockDriftMsMax,
      resolverOf: () => this.#options.resolver,
      isSameLife,
    });
  }

  accept(channel: Channel): void {
    this.host.accept(channel);
  }

  /** Power cut: what was not durable is gone, and the disk stays. `replica` shows from then on what is on it. */
  crash(): void {
    this.stop();
    this.store = this.store.crash();
    this.replica = this.#openReplica(true);
  }

  /** The process ends and its disk with it; the next start finds `image`, or nothing. */
  replaceDisk(image: MemorySnapshot | undefined): void {
    if (this.isUp) this.stop();
    const sync = (): Promise<void> => this.#sync();
    this.store = image === undefined ? createMemoryStore({ sync }) : memoryStoreFromSnapshot(image, { sync });
    this.replica = this.#openReplica(true);
  }

  image(): MemorySnapshot {
    return this.store.snapshot();
  }

  /** A twin: the disk with its marker, as a cloned machine has it. */
  startTwinOf(image: MemorySnapshot): void {
    this.store = memoryStoreFromSnapshot(image, { sync: () => this.#sync(), identity: { fresh: false, reason: 'same', reservedSeq: 0 } });
    this.start();
  }

  stop(): void {
    this.host.closeAll('closing');
    this.isUp = false;
  }

  /** R11: the row turned out unreadable. */
  repair(collection: CollectionName, keys: readonly DocumentKey[]): void {
    this.host.closeAll('damage');
    this.#options.onNewLife(this, 'damage', () => this.replica.forgetDamaged(collection, keys, 'a damaged row'));
  }

  #forked(proof: ForkProof): void {
    this.#options.onNewLife(this, proof.why, () => this.replica.takeNewLife(proof.why, 'forked'));
  }

  #failed(error: unknown): void {
    if (isEntglDbError(error, 'DOCUMENT_CORRUPT')) {
      const { collection, key } = error.details as { collection: CollectionName; key: DocumentKey };
      this.#options.clock.setTimer(0, () => this.isUp && this.repair(collection, [key]));
    } else if (!isEntglDbError(error, 'DATABASE_CLOSED') && !isEntglDbError(error, 'DISK_FULL') && !isEntglDbError(error, 'IO_FAILED')) this.failures.push(error);
  }

  #sync(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(this.#options.diskDelayMs(), resolve));
  }
}

/** Lets everything that waits for a promise go on. */
export async function settle(): Promise<void> {
  await turn();
}

/** Messages travel as objects: encoding them is another test's business, and this is ten times as fast. */
function objectCodec(): { encode(message: Message): Uint8Array; decode(frame: Uint8Array): Message | undefined } {
  return {
    encode: (message) => {
      const frame = Buffer.alloc(4);
      inFlight.set(frame, message);
      return frame;
    },
    decode: (frame) => inFlight.get(frame),
  };
}

const inFlight = new WeakMap<Uint8Array, Message>();
