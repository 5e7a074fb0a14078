import type { Clock, ClockMonitor } from '../../core/clock/index.ts';
import type { CollectionName, DocumentKey, Random } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { BlobKeeper, type DocumentCache, type LocalDatabase } from '../../database/index.ts';
import { type IntegrityStatus, type MetricSample, triedRefusals } from '../../diagnostics/index.ts';
import {
  BackupSchedule,
  type BackupService,
  checkIntegrity,
  EventLog,
  type ManualBackupWork,
  Receipts,
  type RepairPeers,
  Scrubber,
  SelfRepair,
} from '../../resilience/index.ts';
import { type DocumentName, readBackupDocuments, type StoredDocument } from '../../store/index.ts';
import type { SqliteStore } from '../../store/sqlite/index.ts';
import type { SessionEvent } from '../../sync/index.ts';
import type { ConfigValues, LoadedConfig } from '../config/index.ts';
import type { FollowedPeer } from '../network/index.ts';
import { EntglDbHealthCheck, OfflineQueue, RetryPolicy, SyncStatusTracker } from '../public-services.ts';
import { CommitCounts, cacheSamples, storeSamples, syncSamples } from './collect-metrics.ts';
import { backupSpacingMs } from './create-backups.ts';
import { createChecks } from './create-checks.ts';
import { Equality } from './equality.ts';
import type { ServedNetwork } from './served-network.ts';
import { SyncFeed } from './sync-feed.ts';

const SHUTDOWN_TOO_SHORT =
  'the backup at shutdown was not made, because the time for stopping was over; raise Health.ShutdownTimeoutMs';

export interface NodeServicesDeps {
  readonly config: LoadedConfig;
  readonly database: LocalDatabase;
  readonly store: SqliteStore;
  readonly backups: BackupService;
  /** False: makes no automatic backups, whatever the configuration says. */
  readonly isScheduled: boolean;
  readonly clocks: ClockMonitor;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Undefined while this node has no network or is paused. */
  readonly network: () => ServedNetwork | undefined;
  /** Damage came back too often: nothing may be written any more, neither by this node nor for a peer. */
  readonly onReadOnly: (reason: string) => void;
  /** Tells the operator something, in the log and in the status. */
  readonly onNotice: (text: string) => void;
  /** Whether the database file is in its place, and always was. */
  readonly isInPlace: () => Promise<boolean>;
}

/** Session events that are logged at level Debug. */
const LOGGED: ReadonlySet<SessionEvent['kind']> = new Set(['sent', 'received', 'claimed', 'verified']);

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The services of a node, wired to its database and network. `start` begins their periodic work. */
export class NodeServices {
  readonly retryPolicy: RetryPolicy;
  readonly cache: DocumentCache;
  readonly offlineQueue: OfflineQueue;
  readonly syncTracker: SyncStatusTracker;
  readonly healthCheck: EntglDbHealthCheck;
  readonly backups: BackupService;
  readonly events: EventLog;
  readonly repair: SelfRepair;
  readonly feed: SyncFeed;
  /** Which other nodes hold what this one wrote. */
  readonly receipts: Receipts;
  /** Whether this node and its peers hold the same. */
  readonly equality: Equality;
  readonly #deps: NodeServicesDeps;
  readonly #scrubber: Scrubber;
  readonly #blobKeeper: BlobKeeper;
  readonly #schedule: BackupSchedule | undefined;
  readonly #counts = new CommitCounts();
  readonly #syncLogger: Logger;
  #values: ConfigValues;
  /** Change position up to which the newest backup made since the start reaches. */
  #backedUpPos = -1;
  #stopping: Promise<void> | undefined;

  constructor(deps: NodeServicesDeps) {
    const { config, database, clock, logger, backups } = deps;
    const resilienceLogger = logger.child({ category: 'EntglDb.Resilience' });
    this.#deps = deps;
    this.#values = config.values;
    this.#syncLogger = logger.child({ category: 'EntglDb.Sync' });
    this.backups = backups;
    this.cache = database.cache;
    this.retryPolicy = new RetryPolicy({ logger: resilienceLogger, ...retriesIn(config.values) });
    this.syncTracker = new SyncStatusTracker({ clock, logger: this.#syncLogger });
    this.feed = new SyncFeed(this.syncTracker, () => deps.network()?.bytes ?? 0);
    this.offlineQueue = this.#createQueue(resilienceLogger);
    this.events = new EventLog({ keeper: database.replica, clock, eventsMax: config.limits.eventsMax });
    this.receipts = this.#createReceipts(resilienceLogger);
    this.repair = this.#createRepair(resilienceLogger);
    this.equality = this.#createEquality(resilienceLogger);
    this.#scrubber = this.#createScrubber(resilienceLogger);
    this.#blobKeeper = this.#createBlobKeeper(resilienceLogger);
    this.#schedule = this.#createSchedule(resilienceLogger);
    this.healthCheck = this.#createHealthCheck();
    this.syncTracker.onChange((isOnline) => this.offlineQueue.setOnline(isOnline));
    database.replica.onCommit((notice) => this.#counts.add(notice));
    database.replica.onCommitFailure(() => this.healthCheck.lookAt('database'));
    database.replica.onReload(() => this.healthCheck.lookAt('database'));
  }

  /** Starts periodic checks, the scrub, the collection of blobs, and automatic backups; repairs what was found damaged when opening. */
  start(): void {
    for (const name of this.#deps.store.damagedAtOpen) this.damaged(name.collection, name.key, undefined);
    this.healthCheck.start();
    this.#scrubber.start();
    this.#blobKeeper.start();
    this.equality.start();
    this.#schedule?.start();
  }

  /** Takes over what may change while the node runs. */
  reconfigure(values: ConfigValues): void {
    this.#values = values;
    this.retryPolicy.adjust(retriesIn(values));
    this.cache.resize(values['Persistence.CacheSizeMb']);
    this.offlineQueue.resize(values['Sync.MaxQueueSize'], values['Sync.QueueOverflow']);
    this.#scrubber.setSpeed(values['Health.ScrubMegabytesPerSecond']);
    this.backups.setRetention(values['Persistence.BackupRetention'], backupSpacingMs(values));
    this.#schedule?.changeInterval(values['Persistence.BackupIntervalMinutes'] * MINUTE_MS);
    this.healthCheck.changeInterval(values['Health.IntervalSeconds'] * 1000);
  }

  /** Something happened in the session with a peer. */
  followed(event: SessionEvent, peer: FollowedPeer): void {
    this.feed.followed(event, peer);
    if (LOGGED.has(event.kind)) this.#syncLogger.debug({ peer: peer.node, ...event }, 'sync');
    if (event.kind === 'opened') this.receipts.met(peer.deviceKey, event.hello.node, event.hello.replica);
    if (event.kind === 'confirmed') this.receipts.confirmed(peer.deviceKey, event.collection, event.replica, event.seq);
    if (event.kind === 'same') this.receipts.holdsTheSame(peer.deviceKey, event.collection);
  }

  /** A session with a peer ended, with this problem. `isOver`: no other one has taken its place. */
  left(deviceKey: string, problem: string | null, isOver: boolean): void {
    this.equality.left(deviceKey);
    if (!isOver) return;
    this.feed.left(deviceKey, problem);
    this.receipts.left(deviceKey);
  }

  /** A read, or work for a peer, found a damaged document. */
  damaged(collection: CollectionName, key: DocumentKey, error: unknown): void {
    const problem = error instanceof Error ? error.message : 'found damaged at open';
    this.repair.report({ kind: 'document', collection, key, problem });
  }

  /** Rejects with a DatabaseCorruptionError that names what is damaged, or was and is not repaired yet, and starts the repair. */
  checkIntegrity(signal?: AbortSignal): Promise<void> {
    return checkIntegrity(this.#deps.store, {
      ...(signal && { signal }),
      onDamage: (damage) => this.repair.report(damage),
      unresolved: () => this.repair.unresolved(),
    });
  }

  /** Makes a manual backup and resolves with its path. Null: under a name with date and time in the backup folder. */
  async backup(name: string | null, work?: ManualBackupWork): Promise<string> {
    const pos = this.#deps.database.replica.pos;
    const path = await this.backups.backup(name, work);
    this.#backedUpPos = pos;
    return path;
  }

  metrics(): MetricSample[] {
    const { clock, store } = this.#deps;
    const { damaged, lastScrubAt } = this.#integrity();
    this.feed.countBytes();
    return [
      ...this.#counts.samples(),
      ...cacheSamples(this.cache.getStatistics()),
      ...storeSamples(store.statistics()),
      ...syncSamples(this.syncTracker.getStatus(), clock.now()),
      { name: 'entgldb_collected_blobs_total', value: this.#blobKeeper.collected },
      { name: 'entgldb_unequal_collections', value: this.equality.different },
      { name: 'entgldb_definition_mismatches', value: this.#deps.network()?.mismatches().length ?? 0 },
      { name: 'entgldb_refused_peers', value: triedRefusals(this.#deps.network()?.refusals() ?? []).length },
      { name: 'entgldb_damaged_documents', value: damaged },
      { name: 'entgldb_last_scrub_seconds', value: (lastScrubAt ?? 0) / 1000 },
      { name: 'entgldb_last_backup_seconds', value: (this.backups.lastBackupAt ?? 0) / 1000 },
    ];
  }

  /**
   * Ends the services' periodic work, and makes the backup at shutdown if automatic backups are on and something changed since the
   * last one. `signal` aborts that backup. Call it before the database is closed. Idempotent.
   */
  stop(signal: AbortSignal): Promise<void> {
    this.#stopping ??= this.#stop(signal);
    return this.#stopping;
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.healthCheck.stop();
    this.equality.stop();
    this.repair.stop();
    await Promise.all([
      this.#scrubber.stop(),
      this.#blobKeeper.stop(),
      this.#schedule?.stop(),
      this.offlineQueue.close(),
    ]);
    if (this.#schedule === undefined || this.#deps.database.replica.pos === this.#backedUpPos) return;
    try {
      await this.backups.automatic({ signal });
    } catch (error) {
      if (signal.aborted) this.#deps.logger.warn({}, SHUTDOWN_TOO_SHORT);
      else this.#deps.logger.warn({ err: error }, 'the backup at shutdown was not made');
    }
  }

  #createQueue(logger: Logger): OfflineQueue {
    const { config, database, clock, random } = this.#deps;
    const { values, limits } = config;
    return new OfflineQueue({
      keeper: database.replica,
      isEnabled: values['Sync.EnableOfflineQueue'],
      maxSize: values['Sync.MaxQueueSize'],
      overflow: values['Sync.QueueOverflow'],
      limits,
      logger,
      clock,
      random,
      soon: setImmediate,
    });
  }

  #createReceipts(logger: Logger): Receipts {
    const { config, database, clock } = this.#deps;
    return new Receipts({
      replica: database.replica,
      node: database.nodeId,
      clock,
      limits: config.limits,
      logger,
      commitPending: () => database.commitPending(),
    });
  }

  #createRepair(logger: Logger): SelfRepair {
    const { database, clock, network, onReadOnly, onNotice } = this.#deps;
    const peers: RepairPeers = {
      isOnline: () => this.syncTracker.isOnline,
      isAnyKnown: () => (network()?.knownPeers ?? 0) > 0,
      lastSyncTime: () => this.syncTracker.getStatus().lastSyncTime,
    };
    return new SelfRepair({
      replica: database.replica,
      events: this.events,
      clock,
      soon: setImmediate,
      commitPending: () => database.commitPending(),
      closeSessions: () => network()?.endSessions('damage'),
      peers,
      readBackup: (names) => this.#readBackup(names),
      onReadOnly,
      onNotice,
      logger,
    });
  }

  #createEquality(logger: Logger): Equality {
    const { database, clock, network } = this.#deps;
    return new Equality({
      replica: database.replica,
      clock,
      logger,
      soon: setImmediate,
      sessions: () => network()?.sessions() ?? [],
      commitPending: () => database.commitPending(),
      onDamage: (damage) => this.repair.report(damage),
      // What the check finds goes to the repair; the difference itself is already logged.
      onDifferent: () => void this.checkIntegrity().catch(() => {}),
    });
  }

  async #readBackup(names: readonly DocumentName[]): Promise<readonly StoredDocument[] | undefined> {
    const backup = await this.backups.newestGood();
    return backup === undefined ? undefined : readBackupDocuments(backup.path, names);
  }

  #createScrubber(logger: Logger): Scrubber {
    const { config, database, store, clock } = this.#deps;
    return new Scrubber({
      store,
      collections: () => [...database.replica.collections()].map(({ name }) => name),
      clock,
      megabytesPerSecond: config.values['Health.ScrubMegabytesPerSecond'],
      checkFile: (signal) => store.checkIntegrity({ signal }),
      onDamage: (damage) => this.repair.report(damage),
      logger,
    });
  }

  #createBlobKeeper(logger: Logger): BlobKeeper {
    const { database, clock, random } = this.#deps;
    return new BlobKeeper({
      blobs: database.blobs,
      clock,
      random,
      logger,
      graceMs: () => this.#values['Persistence.BlobGraceDays'] * DAY_MS,
    });
  }

  #createSchedule(logger: Logger): BackupSchedule | undefined {
    const { config, isScheduled } = this.#deps;
    const { values } = config;
    if (!isScheduled || !values['Persistence.EnableAutoBackup'] || this.backups.folder === null) return undefined;
    const intervalMs = values['Persistence.BackupIntervalMinutes'] * MINUTE_MS;
    return new BackupSchedule({ backups: this.backups, clock: this.#deps.clock, intervalMs, logger });
  }

  #createHealthCheck(): EntglDbHealthCheck {
    const { clock, logger } = this.#deps;
    return new EntglDbHealthCheck({
      checks: createChecks({
        ...this.#deps,
        values: () => this.#values,
        tracker: this.syncTracker,
        offlineQueue: this.offlineQueue,
        equality: this.equality,
        integrity: () => this.#integrity(),
        schedule: this.#schedule,
      }),
      tracker: this.syncTracker,
      clock,
      logger: logger.child({ category: 'EntglDb.Health' }),
      intervalMs: this.#values['Health.IntervalSeconds'] * 1000,
    });
  }

  #integrity(): IntegrityStatus {
    return { ...this.repair.status(), lastScrubAt: this.#scrubber.lastPassAt };
  }
}

function retriesIn(values: ConfigValues): { readonly maxAttempts: number; readonly delayMs: number } {
  return { maxAttempts: values['Network.RetryAttempts'], delayMs: values['Network.RetryDelayMs'] };
}
