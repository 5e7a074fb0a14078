import type { Clock } from '../core/clock/index.ts';
import { LIMITS, TIMES } from '../core/config/index.ts';
import type { Random } from '../core/ids/index.ts';
import { silentLogger } from '../core/logging/index.ts';
import { createResolverRegistry } from '../core/merge/index.ts';
import { Replica } from '../database/replica/index.ts';
import { createMemoryStore, type MemoryStore } from '../store/index.ts';

export interface MemoryReplicaOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Default: a new store. After `crash` or `reopen`, pass the store that they return. */
  readonly store?: MemoryStore;
}

/** Opens the engine on a memory store. */
export function openMemoryReplica(options: MemoryReplicaOptions): { replica: Replica; store: MemoryStore } {
  const store = options.store ?? createMemoryStore();
  const replica = new Replica({
    store,
    clock: options.clock,
    random: options.random,
    logger: silentLogger,
    limits: LIMITS,
    clockDriftMsMax: TIMES.clockDriftMsMax,
    resolverOf: createResolverRegistry(),
    isSameLife: !store.identity.fresh,
  });
  return { replica, store };
}
