import type { Clock } from '../core/clock/index.ts';
import { LIMITS, type Limits, TIMES } from '../core/config/index.ts';
import { type CollectionName, type DocumentKey, type Random, type ReplicaId, TimeKeys } from '../core/ids/index.ts';
import { type Logger, silentLogger } from '../core/logging/index.ts';
import { createResolverRegistry, type Resolver } from '../core/merge/index.ts';
import type { Store, StoreIdentity } from '../store/index.ts';
import type { BackgroundTimes } from './background-work.ts';
import { cachedStore, DocumentCache } from './cache/index.ts';
import { LocalDatabase } from './database.ts';
import { HistoryLog } from './history/index.ts';
import { Replica } from './replica/index.ts';
import { Definitions } from './schema/index.ts';

export interface LocalDatabaseDeps {
  /** An open store. It then belongs to the database and is closed with it. */
  readonly store: Store;
  readonly identity: StoreIdentity;
  readonly nodeId: string;
  readonly clock: Clock;
  /** A clock whose timers keep the process alive, for work that a caller awaits. Default: `clock`. */
  readonly awaitedClock?: Clock;
  readonly random: Random;
  /** Runs something in a later turn of the event loop, after pending I/O (`setImmediate` in Node). */
  readonly soon: (run: () => void) => void;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: LIMITS. */
  readonly limits?: Limits;
  /** Default: TIMES. */
  readonly times?: BackgroundTimes & { readonly clockDriftMsMax: number };
  /** R10: whether other nodes' clocks agree with `clock`. Default: never. */
  readonly isClockConfirmed?: () => boolean;
  /** The resolver of each collection (R3). Default: `lww` for all. */
  readonly resolverOf?: (collection: CollectionName) => Resolver;
  /** Default: a cache of 10 MB. */
  readonly cache?: DocumentCache;
  /** Whether other nodes hold every version that this node wrote in the collection (R12). Default: never. */
  readonly isConfirmed?: (collection: CollectionName) => boolean;
  /** Human name of the node behind the replica id of another node. Default: unknown. */
  readonly nodeOf?: (replica: ReplicaId) => string | null;
  /** Called when all sessions must end: the replica id is new, wants changed, or commits were lost. */
  readonly onSessionsVoid?: (why: 'identity' | 'wants' | 'restored') => void;
  /** Names of the collections that this node wants. Default: null, that is, every one. */
  readonly syncCollections?: ReadonlySet<CollectionName> | null;
  /** Throws if all local writes are refused (R11: READ_ONLY). Default: never. */
  readonly assertWritable?: () => void;
  /** R11: called for a row that cannot be read. The read fails with the same error; repair is up to the receiver. */
  readonly onDamage?: (collection: CollectionName, key: DocumentKey, error: unknown) => void;
}

/** Makes a database on any store, without a network. Throws what the store throws when it is read. */
export function openLocalDatabase(deps: LocalDatabaseDeps): LocalDatabase {
  const { clock, random, soon, nodeId, logger = silentLogger, limits = LIMITS, times = TIMES } = deps;
  const cache = deps.cache ?? new DocumentCache();
  const definitions = new Definitions(limits, deps.resolverOf ?? createResolverRegistry());
  const keys = new TimeKeys(() => clock.now(), random);
  const history = new HistoryLog(deps.store, limits, definitions.historyOf);
  const replica = new Replica({
    recorder: history,
    store: cachedStore(deps.store, cache, limits),
    clock,
    awaitedClock: deps.awaitedClock ?? clock,
    random,
    logger,
    limits,
    clockDriftMsMax: times.clockDriftMsMax,
    ...(deps.isClockConfirmed && { isClockConfirmed: deps.isClockConfirmed }),
    resolverOf: definitions.resolverOf,
    isSameLife: !deps.identity.fresh,
    reservedSeq: deps.identity.reservedSeq,
    reservedPos: deps.identity.reservedPos,
  });
  return new LocalDatabase({
    nodeId,
    clock,
    logger,
    limits,
    times,
    cache,
    replica,
    definitions,
    history,
    newKey: () => keys.next() as DocumentKey,
    soon,
    nodeOf: deps.nodeOf ?? (() => null),
    isConfirmed: deps.isConfirmed ?? (() => false),
    onSessionsVoid: deps.onSessionsVoid ?? (() => {}),
    syncCollections: deps.syncCollections ?? null,
    assertWritable: deps.assertWritable ?? (() => {}),
    onDamage: deps.onDamage ?? (() => {}),
  });
}
