import { guardCallers, guardMethods, type OptionNames, rejecting, throwing } from '../core/options/index.ts';
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
import type { PeerStatus } from './network/index.ts';
import type { NodeAddress, NodeStatus, RunningNode } from './node-api.ts';
import type { EntglDbHealthCheck, OfflineQueue, RetryPolicy, SyncStatusTracker } from './public-services.ts';
import type { PeerEquality } from './services/index.ts';

/** The database of this machine, and the node that keeps it in sync. Returned by `openDatabase`. */
export class NodeDatabase implements Database {
  readonly #node: RunningNode;

  /** @internal `openDatabase` creates it. */
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

  /** Calls `listener` whenever `isOnline` has changed. Returns a function that ends the subscription. */
  onOnlineChange(listener: (isOnline: boolean) => void): () => void {
    return this.syncTracker.onChange(listener);
  }

  /** Files beside documents, each stored and sent once; see docs/guide/blobs.md. */
  get blobs(): Blobs {
    return this.#node.database.blobs;
  }

  /** Operations to do later, kept in this database. */
  get offlineQueue(): OfflineQueue {
    return this.#node.services.offlineQueue;
  }

  /** The cache that this database reads through. */
  get cache(): DocumentCache {
    return this.#node.services.cache;
  }

  /** The history of the exchange between this node and others: peers, totals, errors. */
  get syncTracker(): SyncStatusTracker {
    return this.#node.services.syncTracker;
  }

  /** The health of this node, check by check. */
  get healthCheck(): EntglDbHealthCheck {
    return this.#node.services.healthCheck;
  }

  /** A retry policy with the configured attempts and delay, for a program's own work on the network. */
  get retryPolicy(): RetryPolicy {
    return this.#node.services.retryPolicy;
  }

  /** The existing backups, newest first. */
  backups(): Promise<BackupInfo[]> {
    return this.#node.services.backups.list();
  }

  /** A collection with a schema, from which its types come. */
  collection<Schema extends StandardSchema<object, object>>(
    name: string,
    options: CollectionOptions<Schema> & { readonly schema: Schema },
  ): Collection<OutputOf<Schema>, InputOf<Schema>>;
  /** A collection of documents of any shape, or of the type that the program states. */
  collection<T extends object = Document>(name: string, options?: CollectionOptions): Collection<T>;
  collection(name: string, options?: CollectionOptions): Collection {
    return this.#node.database.collection(name, options);
  }

  /** Reads and writes documents of any collections as one step, which other nodes receive as a whole; see docs/guide/collections.md. */
  transaction<Result>(
    run: (tx: Transaction) => Result | Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result> {
    return this.#node.database.transaction(run, options);
  }

  /** The collections of this node, wanted or not. */
  collections(): CollectionInfo[] {
    return this.#node.database.collections();
  }

  /** Where this node listens; null for a part that is not running. */
  address(): NodeAddress {
    return this.#node.address();
  }

  /** The present state of the node, as `entgldb status` shows it. */
  status(): NodeStatus {
    return this.#node.status();
  }

  /** Every configured, discovered or connected peer. */
  peers(): PeerStatus[] {
    return this.#node.peers();
  }

  /** Runs the health checks now. */
  health(): Promise<HealthReport> {
    return this.#node.health();
  }

  /**
   * Writes a consistent, verified copy while the database is in use, and resolves with its path. The copy holds every write
   * acknowledged before the call. A bare name is placed in `Persistence.BackupPath`. Any other path is relative to the settings
   * file and must lie in that folder, or anywhere if no BackupPath is set. Without a name the copy gets one with date and time.
   *
   * Rejects with INVALID_NAME, BACKUP_EXISTS (unless `overwrite`), BACKUP_FAILED, DISK_FULL and others; there is never an
   * incomplete file under the final name. A signal aborts the backup and leaves nothing.
   */
  backup(path: string | null = null, options: BackupWork = {}): Promise<string> {
    if (path !== null && typeof path !== 'string')
      return Promise.reject(
        new TypeError(`the path of a backup is a text, or null for a name of its own, not ${String(path)}`),
      );
    return this.#node.maintenance.backup(path, { ...options, isAnywhereAllowed: true });
  }

  /** Reads and checks the whole database. Rejects with a DatabaseCorruptionError that names what is damaged. A signal ends it. */
  checkIntegrity(options?: WaitOptions): Promise<void> {
    return this.#node.maintenance.checkIntegrity(options?.signal);
  }

  /**
   * Returns unused space of the file to the file system, and resolves with the number of bytes. Waits for a check or a backup that is
   * under way. Rejects with DATABASE_LOCKED while another program reads the file. A signal ends the waiting and the work; what was
   * returned by then is not taken back.
   */
  compact(options?: WaitOptions): Promise<number> {
    return this.#node.maintenance.compact(options?.signal);
  }

  /**
   * Takes this node off the network, or back. Off the network it neither listens, dials nor announces; documents stay readable
   * and writable. Rejects with CONFIG_ERROR USAGE if it was opened without a network, DATABASE_CLOSED once it is being closed.
   */
  setNetworkPaused(isPaused: boolean): Promise<void> {
    if (typeof isPaused !== 'boolean')
      return Promise.reject(new TypeError(`setNetworkPaused takes true or false, not ${String(isPaused)}`));
    return this.#node.setNetworkPaused(isPaused);
  }

  /** R12: stops wanting a collection. Its documents stay readable, frozen: local writes get COLLECTION_NOT_WANTED. */
  narrow(collection: string, options?: WaitOptions): Promise<void> {
    return this.#node.database.narrow(collection, options);
  }

  /** Wants a collection again, and continues where it stopped. A signal ends the waiting for an eviction under way. */
  widen(collection: string, options?: WaitOptions): Promise<void> {
    return this.#node.database.widen(collection, options);
  }

  /**
   * R12: stops wanting a collection and removes its documents from this node alone. Rejects with EVICT_REFUSED while writes of this node
   * are on no other one. A signal ends the waiting; the removal, once begun, goes on.
   */
  evict(collection: string, options?: WaitOptions): Promise<void> {
    return this.#node.database.evict(collection, options);
  }

  /** Versions that lost to a concurrent one, as this node's ledger lists them, newest first; see docs/guide/conflicts.md. */
  conflicts(options?: ConflictOptions): Promise<Conflict[]> {
    return this.#node.database.conflicts(options);
  }

  /** Yields further conflicts as they occur, until the signal aborts or the loop ends. */
  watchConflicts(options?: WaitOptions): AsyncIterable<Conflict> {
    return this.#node.database.watchConflicts(options);
  }

  /** Writes a losing version again, over the present one; resolves when it is durable. Rejects with CONFLICT_NOT_FOUND. */
  restoreConflict(id: number, options?: WaitOptions): Promise<void> {
    return this.#node.database.restoreConflict(id, options);
  }

  /**
   * Resolves when at least `peers` (default 1) other nodes have said that they hold the newest write that this node made of the
   * document or, without a key, everything that it wrote in the collection so far. Give a signal, because no peer may come.
   */
  replicated(collection: string, key?: string, options?: ReplicatedOptions): Promise<void> {
    return this.#node.services.receipts.replicated(collection, key, options);
  }

  /** Writes of this node that the given node (human name or device key) is not known to hold; empty: it holds all. */
  pendingFor(node: string): PendingWrites[] {
    return this.#node.services.receipts.pendingFor(node);
  }

  /** Writes of this node that no other node is known to hold. */
  unsynced(): PendingWrites[] {
    return this.#node.services.receipts.unsynced();
  }

  /**
   * Compares what this node and its connected peers hold, or one of them, given by human name or device key; see
   * docs/guide/receipts.md. Rejects with NETWORK_ERROR / NODE_UNREACHABLE if that one is not connected. A signal aborts it.
   */
  verify(node?: string, options?: WaitOptions): Promise<PeerEquality[]> {
    return this.#node.services.equality.verify(node, options);
  }

  /** Resolves when every write made before the call is durable here. A signal ends the waiting. */
  flush(options?: WaitOptions): Promise<void> {
    return this.#node.database.flush(options);
  }

  /** Finishes accepted writes, says goodbye to peers, makes the backup at shutdown if one is due, and releases everything. Idempotent. */
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
  narrow: rejecting(1, WAIT),
  widen: rejecting(1, WAIT),
  evict: rejecting(1, WAIT),
  conflicts: rejecting(0, CONFLICTS),
  watchConflicts: throwing(0, WAIT),
  restoreConflict: rejecting(1, WAIT),
  replicated: rejecting(2, REPLICATED),
  verify: rejecting(1, WAIT),
  flush: rejecting(0, WAIT),
  checkIntegrity: rejecting(0, WAIT),
  compact: rejecting(0, WAIT),
});
guardCallers(NodeDatabase.prototype, { transaction: 'rejects', onOnlineChange: 'throws' });
