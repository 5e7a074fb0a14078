import { hostname } from 'node:os';
import { ClockMonitor, epochMs } from '../core/clock/index.ts';
import { LIMITS, type Limits, TIMES } from '../core/config/index.ts';
import { isEntglDbError } from '../core/errors/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import { createResolverRegistry } from '../core/merge/index.ts';
import { DocumentCache, type LocalDatabase, openLocalDatabase } from '../database/index.ts';
import { resolverText } from '../database/replica/index.ts';
import {
  type BackedUpDatabase,
  type BackupService,
  type Opened,
  type OwnState,
  openOrRestore,
  type RestoredFile,
} from '../resilience/index.ts';
import { type DamagedEntry, damagedDocument, META } from '../store/index.ts';
import { awaitOwner, openSqliteStore, restoreSqliteFile, type SqliteStore } from '../store/sqlite/index.ts';
import type { LoadedConfig } from './config/index.ts';
import { createCorrectedClock } from './corrected-clock.ts';
import { requirePath } from './files/index.ts';
import { isRunning } from './is-running.ts';
import { readMachineId } from './machine-id.ts';
import type { NetworkOptions, NetworkSettings } from './network/index.ts';
import type { OpenNode, OpenNodeOptions, RunningNode } from './node-api.ts';
import { NodeState } from './node-state.ts';
import {
  copiedText,
  fileNotices,
  forgetCopied,
  forgetNotices,
  keepNotices,
  keptNotices,
  whyCopied,
} from './notices/index.ts';
import { createBackups, NodeServices, ownStateOfClosed } from './services/index.ts';
import { awaitedClock, systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

/**
 * The composition root: opens a database on its file and, with `network`, a node that others find. Rejects as the store does
 * (DATABASE_LOCKED, DATABASE_CORRUPT …), with NETWORK_ERROR (PORT_IN_USE, LISTEN_FAILED), CONFIG_ERROR or the signal's reason,
 * leaving nothing open.
 */
export const openNode: OpenNode = async (given) => {
  const limits = { ...given.config.limits };
  const config = { ...given.config, limits };
  const options = { ...given, config };
  const { logger, signal } = given;
  signal?.throwIfAborted();
  const clocks = new ClockMonitor(config.values['Sync.MaxClockDriftMs']);
  let state: NodeState | undefined;
  const backups = createBackups(config, {
    database: () => backedUp(state!),
    own: () => (state === undefined ? ownStateOfClosed(config) : ownState(state)),
    clock: systemClock,
    logger: logger.child({ category: 'EntglDb.Resilience' }),
  });
  await requirePath('Persistence.DatabasePath', config.values['Persistence.DatabasePath'], 'file');
  const { opened, restored } = await openOrRestoreState(options, { backups, clocks });
  state = opened;
  const { store } = state;
  try {
    keepNodeId(state);
    const kept = options.isCommand ? [] : keptNotices(state.database);
    for (const notice of kept) state.notice(notice);
    noteFiles(state, options, store, restored);
    const copied = whyCopied(state.database, store.identity);
    if (copied !== undefined) state.notice(copiedText(copied));
    // After the notes of what happened to the files: a restored backup must not go unmentioned.
    signal?.throwIfAborted();
    if (options.network) {
      await startNetwork(options, state, clocks, copied !== undefined);
      signal?.throwIfAborted();
      if (copied !== undefined) forgetCopied(state.database);
    }
    if (kept.length > 0) forgetNotices(state.database);
    state.start();
    return runningNode(state, (next, clusterTokens) => reconfigure(state!, limits, next, clusterTokens));
  } catch (error) {
    await opened.abandon().catch((failure: unknown) => {
      logger.warn({ err: failure }, 'what a start that failed had opened could not be closed in order');
    });
    throw error;
  }
};

function backedUp({ database, store }: NodeState): BackedUpDatabase {
  return { flush: () => database.flush(), backup: (toPath, work) => store.backup(toPath, work) };
}

function ownState({ nodeId, database: { replica } }: NodeState): OwnState {
  return { replica: replica.id, former: replica.formerLives, node: nodeId, isOpen: true };
}

/** Reports oddities of the files. Those found by a command are also kept for the next node. */
function noteFiles(
  state: NodeState,
  { config, isCommand }: OpenNodeOptions,
  { identity }: SqliteStore,
  restored: RestoredFile | undefined,
): void {
  const found = fileNotices(config.values['Persistence.DatabasePath'], identity);
  if (restored !== undefined) found.push(noteRestored(state, restored));
  for (const notice of found) state.notice(notice);
  if (isCommand) keepNotices(state.database, found);
}

function noteRestored(state: NodeState, { backupPath, aside, problem }: RestoredFile): string {
  state.services.events.append('file-restored', { backupPath, problem, aside: aside ?? null });
  return `the database could not be opened and was restored from ${backupPath}; the damaged file is ${aside}`;
}

/** A file that is too damaged to open is set aside and replaced by the newest good backup. */
async function openOrRestoreState(options: OpenNodeOptions, parts: StateParts): Promise<Opened<NodeState>> {
  const { config, logger, signal } = options;
  const path = config.values['Persistence.DatabasePath'];
  const storeLogger = logger.child({ category: 'EntglDb.Persistence' });
  try {
    return await openOrRestore({
      open: () => openState(options, parts, storeLogger),
      newestGood: () => parts.backups.newestGood(signal),
      restore: (backupPath) =>
        restoreSqliteFile({ backupPath, path, pid: process.pid, clock: systemClock, ...(signal && { signal }) }),
      logger: storeLogger,
    });
  } catch (error) {
    // Another process has it open, perhaps only for a moment: the caller decides what to report.
    if (!isEntglDbError(error, 'DATABASE_LOCKED') && !signal?.aborted)
      storeLogger.fatal({ err: error, path }, 'the database cannot be opened');
    throw error;
  }
}

interface StateParts {
  readonly backups: BackupService;
  readonly clocks: ClockMonitor;
}

/** Opens the store, and the database and its services on it. Nothing stays open if one of them cannot be read. */
async function openState(options: OpenNodeOptions, parts: StateParts, storeLogger: Logger): Promise<NodeState> {
  const damaged: DamagedEntry[] = [];
  let services: NodeServices | undefined;
  const report = (entry: DamagedEntry): void => services?.repair.report({ kind: 'entry', ...entry });
  const store = await openStore(options, storeLogger, (entry) => {
    if (services === undefined) damaged.push(entry);
    else report(entry);
  });
  let state: NodeState | undefined;
  let database: LocalDatabase | undefined;
  try {
    const nodeId = options.config.values.NodeId ?? store.meta(META.nodeId) ?? `${hostname()}-${randomLetters(4)}`;
    database = openDatabaseOn(store, options, nodeId, parts.clocks, () => state);
    const opened = new NodeState({ ...options, clock: systemClock, database, store });
    services = createServices(options, parts, opened);
    opened.services = services;
    state = opened;
    damaged.forEach(report);
    return opened;
  } catch (error) {
    await (database ?? store).close().catch(() => {
      // What it could not read is the error to report.
    });
    throw error;
  }
}

function createServices(options: OpenNodeOptions, parts: StateParts, state: NodeState): NodeServices {
  const { database } = state;
  return new NodeServices({
    ...parts,
    // Otherwise seven commands in a row would displace all earlier backups.
    isScheduled: options.isCommand !== true,
    config: options.config,
    database,
    store: state.store,
    clock: systemClock,
    random: systemRandom,
    logger: options.logger,
    network: () => state.servedNetwork(),
    onReadOnly: (reason) => state.stopWriting(reason),
    onNotice: (text) => {
      state.notice(text);
      if (options.isCommand) keepNotices(database, [text]);
    },
    isInPlace: () => state.isInPlace(),
  });
}

async function openStore(
  { config: { values, limits }, signal }: OpenNodeOptions,
  logger: Logger,
  onDamagedEntry: (entry: DamagedEntry) => void,
): Promise<SqliteStore> {
  const path = values['Persistence.DatabasePath'];
  const gone = await awaitOwner(path, {
    clock: awaitedClock,
    keptMs: TIMES.lockKeptMs,
    pid: process.pid,
    isRunning,
    signal,
  });
  return openSqliteStore({
    path,
    durability: values['Persistence.Durability'],
    walMode: values['Persistence.EnableWalMode'],
    busyTimeoutMs: values['Persistence.BusyTimeoutMs'],
    machineId: readMachineId(),
    pid: process.pid,
    mayBeOwner: (pid) => pid !== gone && isRunning(pid),
    limits,
    clock: systemClock,
    awaitedClock,
    logger,
    onDamagedEntry,
  });
}

function keepNodeId({ nodeId, store, database }: NodeState): void {
  if (nodeId !== store.meta(META.nodeId)) database.replica.commitEntries((draft) => draft.meta(META.nodeId, nodeId));
}

function openDatabaseOn(
  store: SqliteStore,
  options: OpenNodeOptions,
  nodeId: string,
  clocks: ClockMonitor,
  state: () => NodeState | undefined,
): LocalDatabase {
  const { config, logger } = options;
  const { values, limits } = config;
  return openLocalDatabase({
    store,
    identity: store.identity,
    nodeId,
    clock: createCorrectedClock(systemClock, clocks),
    isClockConfirmed: () => clocks.isConfirmed(epochMs(systemClock)),
    awaitedClock,
    random: systemRandom,
    soon: setImmediate,
    logger: logger.child({ category: 'EntglDb.Core' }),
    limits,
    times: {
      ...TIMES,
      clockDriftMsMax: values['Sync.MaxClockDriftMs'],
      tombstoneRetentionMs: values['Sync.TombstoneRetentionHours'] * 3_600_000,
    },
    resolverOf: resolversOf(options),
    cache: new DocumentCache({
      maxSizeMb: values['Persistence.CacheSizeMb'],
      logger: logger.child({ category: 'EntglDb.Core' }),
    }),
    syncCollections: values['Sync.Collections'] && new Set(values['Sync.Collections'] as CollectionName[]),
    isConfirmed: (collection) => state()?.services.receipts.isConfirmed(collection) ?? false,
    nodeOf: (replica) => state()?.services.receipts.nodeOf(replica) ?? null,
    onSessionsVoid: (why) => state()?.network?.endSessions(why),
    onDamage: (collection, key, error) => state()?.services.damaged(collection, key, error),
    assertWritable: () => state()?.assertWritable(),
  });
}

function resolversOf({ config, resolvers = {} }: OpenNodeOptions): ReturnType<typeof createResolverRegistry> {
  const { '*': otherwise = 'lww', ...byCollection } = Object.fromEntries(config.values['Sync.ConflictResolver']);
  return createResolverRegistry({ default: otherwise, byCollection: { ...byCollection, ...resolvers } });
}

function randomLetters(count: number): string {
  return Array.from(systemRandom.bytes(count), (byte) => String.fromCharCode(97 + (byte % 26))).join('');
}

async function startNetwork(
  options: OpenNodeOptions,
  state: NodeState,
  clocks: ClockMonitor,
  isCopied: boolean,
): Promise<void> {
  const { logger } = options;
  // Loaded when needed: it is a third of the code, and useless to a node without a network.
  const { NetworkService } = await import('./network/index.ts');
  const network = new NetworkService(networkOptions(options, state.nodeId), {
    database: state.database,
    clock: systemClock,
    random: systemRandom,
    logger: logger.child({ category: 'EntglDb.Network' }),
    clocks,
    isCopied,
    onEvent: (event, peer, session) => {
      state.services.followed(event, peer);
      state.services.equality.followed(event, session);
    },
    onLeft: (deviceKey, problem, isOver) => state.services.left(deviceKey, problem, isOver),
    onFailure: (error, peer) => {
      const { message, code = null } = error as Error & { readonly code?: string };
      state.services.syncTracker.recordError(message, peer, code);
      const damaged = damagedDocument(error);
      if (damaged !== undefined) state.services.damaged(damaged.collection, damaged.key, error);
      else logger.error({ err: error, peer }, 'sync with a peer failed; it is tried again');
    },
    onNotice: (notice) => state.notice(notice),
  });
  if (options.clusterTokens.length === 0)
    state.notice(
      'no cluster token is set: this node speaks only to nodes on this machine (set Network.AuthToken, or run `entgldb init`)',
    );
  state.network = network;
  await network.start();
}

function networkOptions(options: OpenNodeOptions, nodeId: string): NetworkOptions {
  const { config, clusterTokens } = options;
  const { values, limits } = config;
  const resolverOf = resolversOf(options);
  const named = [...values['Sync.ConflictResolver'].keys(), ...Object.keys(options.resolvers ?? {})].filter(
    (name) => name !== '*',
  );
  return {
    nodeId,
    databasePath: values['Persistence.DatabasePath'],
    tcpPort: values['Network.TcpPort'],
    udpPort: values['Network.UdpPort'],
    localhostOnly: values['Network.LocalhostOnly'],
    enableDiscovery: values['Network.EnableDiscovery'],
    clusterTokens,
    clockDriftMsMax: values['Sync.MaxClockDriftMs'],
    collections: values['Sync.Collections'] as readonly CollectionName[] | null,
    resolvers: new Map(['*', ...named].map((name) => [name, resolverText(resolverOf(name as CollectionName))])),
    limits,
    settings: networkSettings(config),
  };
}

function networkSettings({ values, limits }: LoadedConfig): NetworkSettings {
  return {
    knownPeers: values['Network.KnownPeers'],
    retryAttempts: values['Network.RetryAttempts'],
    retryDelayMs: values['Network.RetryDelayMs'],
    connectionTimeoutMs: values['Network.ConnectionTimeoutMs'],
    syncIntervalMs: values['Sync.SyncIntervalMs'],
    batchVersionsMax: Math.min(values['Sync.BatchSize'], limits.messageVersionsMax, LIMITS.messageVersionsMax),
  };
}

/** `limits` is the object in which all parts of the node look up their bounds. */
async function reconfigure(
  state: NodeState,
  limits: { -readonly [Name in keyof Limits]: number },
  next: LoadedConfig,
  clusterTokens: readonly string[],
): Promise<void> {
  await state.network?.setTokens(clusterTokens);
  Object.assign(limits, next.limits);
  state.reconfigure(next.values);
  for (const deviceKey of state.network?.reconfigure(networkSettings(next)) ?? [])
    state.services.feed.removed(deviceKey);
}

function runningNode(state: NodeState, reconfigureNode: RunningNode['reconfigure']): RunningNode {
  return {
    database: state.database,
    resumeToken: () => state.database.feeds.resumeToken(),
    address: () => state.address(),
    status: () => state.status(),
    peers: () => state.network?.peers() ?? [],
    health: () => state.services.healthCheck.check(),
    metrics: async () => state.services.metrics(),
    services: state.services,
    maintenance: state.maintenance(),
    reconfigure: reconfigureNode,
    setNetworkPaused: (isPaused) => state.setNetworkPaused(isPaused),
    close: () => state.close(),
  };
}
