import { guardMethods, type OptionNames, rejecting, throwing } from '../core/options/index.ts';
import type {
  Blobs,
  Collection,
  CollectionInfo,
  CollectionOptions,
  Conflict,
  ConflictOptions,
  Database,
  Document,
  DocumentCache,
  InputOf,
  OutputOf,
  StandardSchema,
  Transaction,
  TransactionOptions,
  WaitOptions,
} from '../database/index.ts';
import type { HealthReport } from '../diagnostics/index.ts';
import type { BackupInfo, BackupWork, PendingWrites, ReplicatedOptions } from '../resilience/index.ts';
import type { EntglDbHealthCheck } from './health-check.ts';
import type { PeerStatus } from './network/index.ts';
import type { NodeAddress, NodeStatus, RunningNode } from './node-api.ts';
import type { OfflineQueue } from './offline-queue.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { PeerEquality } from './services/index.ts';
import type { SyncStatusTracker } from './sync-status-tracker.ts';

/** The database of this machine and the node that keeps it in sync: what `openDatabase` returns. */
export class NodeDatabase implements Database {
  readonly #node: RunningNode;

  /** @internal `openDatabase` makes it. */
  constructor(node: RunningNode) {
    this.#node = node;
  }

  /** Human name of this node. */
  get nodeId(): string {
    return this.#node.database.nodeId;
  }

  /** True while at least one peer is connected. */
  get isOnline(): boolean {
    return this.syncTracker.isOnline;
  }

  /** Called whenever `isOnline` has changed. Returns what ends the subscription. */
  onOnlineChange(listener: (isOnline: boolean) => void): () => void {
    return this.syncTracker.onChange(listener);
  }

  /** Files beside documents, kept and sent once; see docs/guide/blobs.md. */
  get blobs(): Blobs {
    return this.#node.database.blobs;
  }

  /** Operations to be done later, kept in this database. */
  get offlineQueue(): OfflineQueue {
    return this.#node.services.offlineQueue;
  }

  /** The cache that this database reads through. */
  get cache(): DocumentCache {
    return this.#node.services.cache;
  }

  /** What happened between this node and others. */
  get syncTracker(): SyncStatusTracker {
    return this.#node.services.syncTracker;
  }

  /** Whether this node is well, check by check. */
  get healthCheck(): EntglDbHealthCheck {
    return this.#node.services.healthCheck;
  }

  /** As the configuration sets it, for a program's own work on the network. */
  get retryPolicy(): RetryPolicy {
    return this.#node.services.retryPolicy;
  }

  /** Backups that there are, newest first. */
  backups(): Promise<BackupInfo[]> {
    return this.#node.services.backups.list();
  }

  /** A collection with a schema; its types are those of the validator. */
  collection<Schema extends StandardSchema<object, object>>(
    name: string,
    options: CollectionOptions<Schema> & { readonly schema: Schema },
  ): Collection<OutputOf<Schema>, InputOf<Schema>>;
  /** A collection of any documents, or of those that the program says it holds. */
  collection<T extends object = Document>(name: string, options?: CollectionOptions): Collection<T>;
  collection(name: string, options?: CollectionOptions): Collection {
    return this.#node.database.collection(name, options);
  }

  /** Reads and writes documents of any collections as one step, whole on every node that wants them; see docs/guide/collections.md. */
  transaction<Result>(
    run: (tx: Transaction) => Result | Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result> {
    return this.#node.database.transaction(run, options);
  }

  collections(): CollectionInfo[] {
    return this.#node.database.collections();
  }

  /** Where this node listens; null where it does not. */
  address(): NodeAddress {
    return this.#node.address();
  }

  status(): NodeStatus {
    return this.#node.status();
  }

  peers(): PeerStatus[] {
    return this.#node.peers();
  }

  /** Runs the health checks now. */
  health(): Promise<HealthReport> {
    return this.#node.health();
  }

  /**
   * Writes a consistent, verified copy while the database is used, and resolves with its path; it holds every write
   * acknowledged before the call. A bare name lies in `Persistence.BackupPath`, any other is relative to the settings file and
   * must lie in there; where no BackupPath is set, it may be any path. Without a name, it gets one with date and time.
   *
   * Rejects with INVALID_NAME, BACKUP_EXISTS unless `overwrite`, BACKUP_FAILED, DISK_FULL …; there is never half a file under
   * the final name. A signal ends it and leaves nothing.
   */
  backup(path: string | null = null, options: BackupWork = {}): Promise<string> {
    return this.#node.maintenance!.backup(path, { ...options, isAnywhereAllowed: true });
  }

  /** Reads everything. Throws DatabaseCorruptionError that names what is damaged. */
  checkIntegrity(): Promise<void> {
    return this.#node.maintenance!.checkIntegrity();
  }

  /**
   * Gives unused space of the file back, after a check or a backup that is under way; resolves with the bytes it became smaller by.
   * DATABASE_LOCKED while another program reads the file.
   */
  compact(): Promise<number> {
    return this.#node.maintenance!.compact();
  }

  /**
   * Takes this node off the network, or back: it then neither listens, dials nor announces; documents stay readable and
   * writable. CONFIG_ERROR USAGE when it was opened without a network, DATABASE_CLOSED once it is being closed.
   */
  setNetworkPaused(isPaused: boolean): Promise<void> {
    return this.#node.setNetworkPaused(isPaused);
  }

  /** R12: stops wanting a collection; what is here stays, frozen. */
  narrow(collection: string): Promise<void> {
    return this.#node.database.narrow(collection);
  }

  /** Wants a collection again, and goes on where it stopped. */
  widen(collection: string): Promise<void> {
    return this.#node.database.widen(collection);
  }

  /** Drops the documents of a collection that is no longer wanted. EVICT_REFUSED while own writes are nowhere else. */
  evict(collection: string): Promise<void> {
    return this.#node.database.evict(collection);
  }

  /** Versions that lost to a concurrent one on this node, newest first; see docs/guide/conflicts.md. */
  conflicts(options?: ConflictOptions): Promise<Conflict[]> {
    return this.#node.database.conflicts(options);
  }

  /** Further ones as they come, until the signal or the end of the loop. */
  watchConflicts(options?: WaitOptions): AsyncIterable<Conflict> {
    return this.#node.database.watchConflicts(options);
  }

  /** Writes a version that lost again, over what is there now; resolves when it is durable. CONFLICT_NOT_FOUND. */
  restoreConflict(id: number, options?: WaitOptions): Promise<void> {
    return this.#node.database.restoreConflict(id, options);
  }

  /**
   * Resolves when at least `peers` (default 1) other nodes are known, by their own word, to hold the newest write that this
   * node made of the document, or, without a key, all that it wrote in the collection so far. Give a signal: nobody may come.
   */
  replicated(collection: string, key?: string, options?: ReplicatedOptions): Promise<void> {
    return this.#node.services.receipts.replicated(collection, key, options);
  }

  /** What that node, by human name or device key, is not known to hold of this one's writes; nothing: it holds all. */
  pendingFor(node: string): PendingWrites[] {
    return this.#node.services.receipts.pendingFor(node);
  }

  /** What no other node is known to hold of this one's writes. */
  unsynced(): PendingWrites[] {
    return this.#node.services.receipts.unsynced();
  }

  /**
   * Compares what this node and its connected peers hold, or one of them by human name or device key; see
   * docs/guide/receipts.md. NETWORK_ERROR / NODE_UNREACHABLE when that one is not connected.
   */
  verify(node?: string, options?: WaitOptions): Promise<PeerEquality[]> {
    return this.#node.services.equality.verify(node, options);
  }

  flush(options?: WaitOptions): Promise<void> {
    return this.#node.database.flush(options);
  }

  close(): Promise<void> {
    return this.#node.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const WAIT: OptionNames<WaitOptions> = { signal: true };
const TRANSACTION: OptionNames<TransactionOptions> = { timeoutMs: true, ...WAIT };
const BACKUP: OptionNames<BackupWork> = { overwrite: true, onProgress: true, ...WAIT };
const CONFLICTS: OptionNames<ConflictOptions> = { collection: true, limit: true, ...WAIT };
const REPLICATED: OptionNames<ReplicatedOptions> = { peers: true, ...WAIT };

guardMethods(NodeDatabase.prototype, {
  transaction: rejecting(1, TRANSACTION),
  backup: rejecting(1, BACKUP),
  conflicts: rejecting(0, CONFLICTS),
  watchConflicts: throwing(0, WAIT),
  restoreConflict: rejecting(1, WAIT),
  replicated: rejecting(2, REPLICATED),
  verify: rejecting(1, WAIT),
  flush: rejecting(0, WAIT),
});
