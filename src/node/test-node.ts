import { silentLogger } from '../core/logging/index.ts';
import { openLocalDatabase } from '../database/index.ts';
import type { Store, StoreIdentity } from '../store/index.ts';
import { createMemoryStore } from '../store/memory/index.ts';
import { openSqliteStore } from '../store/sqlite/index.ts';
import type { NodeAddress, OpenNode, RunningNode } from './node-api.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

/** For tests: the real database on a store in memory, as a node that has no network. */
export async function openTestNode(): Promise<RunningNode> {
  const store = createMemoryStore();
  return nodeOn(store, store.identity, 'in memory');
}

/** For tests: the real database on the file that the configuration names, as a node that has no network. */
export const openTestNodeOnDisk: OpenNode = async ({ config }) => {
  const path = config.values['Persistence.DatabasePath'];
  const store = await openSqliteStore({
    path,
    durability: 'normal',
    machineId: '',
    pid: process.pid,
    clock: systemClock,
    logger: silentLogger,
  });
  return nodeOn(store, store.identity, path);
};

function nodeOn(store: Store, identity: StoreIdentity, databasePath: string): RunningNode {
  const nodeId = 'till-1';
  const database = openLocalDatabase({
    store,
    identity,
    nodeId,
    clock: systemClock,
    random: systemRandom,
    soon: setImmediate,
  });
  const address: NodeAddress = { tcp: null, udp: null, http: null };
  const startedAt = systemClock.now();
  return {
    database,
    address: () => address,
    status: () => ({
      nodeId,
      replica: '0123456789abcdef0123456789abcdef',
      version: '0.0.0',
      pid: process.pid,
      startedAt,
      databasePath,
      address,
      isOnline: false,
      connectedPeers: 0,
      lastSyncTime: null,
      queuedOperations: 0,
      collections: database.collections(),
      notices: [],
    }),
    peers: () => [],
    health: async () => ({
      isHealthy: true,
      databaseHealthy: true,
      networkHealthy: true,
      connectedPeers: 0,
      lastSyncTime: null,
      errors: [],
      checks: [{ name: 'database', isHealthy: true, message: 'answers' }],
    }),
    close: () => database.close(),
  };
}
