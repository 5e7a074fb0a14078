import { readFileSync } from 'node:fs';
import type { Clock } from '../core/clock/index.ts';
import { ConfigurationError, DatabaseCorruptionError, type EntglDbError } from '../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import type { LocalDatabase } from '../database/index.ts';
import type { SqliteStore } from '../store/sqlite/index.ts';
import type { LoadedConfig } from './config/index.ts';
import type { NetworkService } from './network/index.ts';
import type { HealthReport, Maintenance, NodeAddress, NodeStatus } from './node-api.ts';

/** Notices kept for the screen; beyond it the oldest is forgotten. It stays in the log. */
const NOTICES_MAX = 50;

/** The parts of a running node, and what it says of itself. */
export class NodeState {
  readonly nodeId: string;
  readonly database: LocalDatabase;
  readonly store: SqliteStore;
  network: NetworkService | undefined;
  readonly #config: LoadedConfig;
  readonly #logger: Logger;
  readonly #startedAt: number;
  readonly #notices: string[] = [];
  readonly #repairs = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(parts: {
    config: LoadedConfig;
    clock: Clock;
    logger: Logger;
    database: LocalDatabase;
    store: SqliteStore;
  }) {
    this.#config = parts.config;
    this.#logger = parts.logger;
    this.database = parts.database;
    this.store = parts.store;
    this.nodeId = parts.database.nodeId;
    this.#startedAt = parts.clock.now();
  }

  /** Told to its user: in the log at once, on the screen until the next start. */
  notice(text: string): void {
    if (this.#notices.includes(text)) return;
    this.#notices.push(text);
    if (this.#notices.length > NOTICES_MAX) this.#notices.shift();
    this.#logger.warn({}, text);
  }

  address(): NodeAddress {
    return { tcp: this.network?.tcpAddress ?? null, udp: this.network?.udpAddress ?? null, http: null };
  }

  status(): NodeStatus {
    return {
      nodeId: this.nodeId,
      replica: this.database.replica.id,
      version: packageVersion(),
      pid: process.pid,
      startedAt: this.#startedAt,
      databasePath: this.#config.values['Persistence.DatabasePath'],
      address: this.address(),
      isOnline: this.network?.isOnline ?? false,
      connectedPeers: this.network?.progress.connected ?? 0,
      isNetworkPaused: this.network?.isPaused ?? false,
      lastSyncTime: this.network?.progress.lastSyncMs ?? null,
      queuedOperations: 0,
      collections: this.database.collections(),
      notices: [...this.#notices, ...this.#clockNotice()],
    };
  }

  async health(): Promise<HealthReport> {
    const { connected, lastSyncMs } = this.network?.progress ?? { connected: 0, lastSyncMs: null };
    const errors = this.#clockNotice();
    return {
      isHealthy: errors.length === 0,
      databaseHealthy: true,
      networkHealthy: this.network === undefined || this.network.tcpAddress !== null,
      connectedPeers: connected,
      lastSyncTime: lastSyncMs,
      errors,
      checks: [],
    };
  }

  maintenance(): Maintenance {
    return {
      backup: async (path) => {
        if (path === null) throw new TypeError('a backup needs a path');
        await this.store.backup(path);
        return path;
      },
      checkIntegrity: () => this.#checkIntegrity(),
      compact: async () => {
        const before = this.store.statistics().databaseBytes;
        await this.store.compact();
        return before - this.store.statistics().databaseBytes;
      },
      conflicts: () => [],
    };
  }

  async setNetworkPaused(isPaused: boolean): Promise<void> {
    if (this.network === undefined)
      throw new ConfigurationError('USAGE', 'this node runs without a network; start it with one to pause it');
    await this.network.setPaused(isPaused);
    this.#logger.info({ isPaused }, isPaused ? 'taken off the network' : 'back on the network');
  }

  /**
   * R11: a row of this database cannot be read. What is known of its collection is forgotten under a new id, so that peers
   * send the document again; the rest of the row's collection stays as it is.
   */
  damaged(collection: CollectionName, key: DocumentKey, error: unknown): void {
    if (this.#repairs.has(collection)) return;
    this.#repairs.add(collection);
    this.#logger.fatal(
      { collection, key, err: error },
      'a document is damaged on disk; it is fetched again from peers',
    );
    setImmediate(() => {
      this.#repairs.delete(collection);
      if (!this.database.isClosed) this.#repair(collection, key);
    });
  }

  damagedBy(error: EntglDbError): void {
    const { collection, key } = error.details as { collection?: CollectionName; key?: DocumentKey };
    if (collection !== undefined && key !== undefined) this.damaged(collection, key, error);
  }

  isConfirmed(collection: CollectionName): boolean {
    const { replica } = this.database;
    const own = replica.collection(collection).knowledge.get(replica.id)?.seq ?? 0;
    return own === 0 || (this.network?.progress.isConfirmed(collection, replica.id, own) ?? false);
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.network?.close();
      await this.database.close();
    })();
    return this.#closing;
  }

  #repair(collection: CollectionName, key: DocumentKey): void {
    try {
      this.database.commitPending();
      this.network?.endSessions('damage');
      this.database.replica.forgetDamaged(collection, [key], `document ${key} of ${collection} was damaged`);
      this.network?.endSessions('identity');
      this.notice(
        `document "${key}" of collection "${collection}" was damaged on disk; it comes back from the next peer that has it`,
      );
    } catch (error) {
      this.#logger.error(
        { collection, key, err: error },
        'the repair of a damaged document failed; it is tried again when it is read',
      );
    }
  }

  async #checkIntegrity(): Promise<void> {
    const damages: string[] = [];
    for await (const damage of this.store.checkIntegrity()) damages.push(JSON.stringify(damage));
    if (damages.length === 0) return;
    throw new DatabaseCorruptionError(
      `the database is damaged in ${damages.length} places: ${damages.slice(0, 5).join(', ')}`,
      {
        details: { damages },
      },
    );
  }

  #clockNotice(): string[] {
    const clock = this.network?.clock;
    if (clock === undefined || !clock.isOff) return [];
    const seconds = Math.round(Math.abs(clock.offsetMs) / 1000);
    return [
      `the clock of this machine is ${seconds} s ${clock.offsetMs > 0 ? 'behind' : 'ahead of'} the others; set it right (writes are stamped with the others' time meanwhile)`,
    ];
  }
}

let version: string | undefined;

function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version;
  return version;
}
