import type { DocumentCache } from '../database/index.ts';
import type { NodeDatabase } from './node-database.ts';
import { type OpenDatabaseOptions, openDatabase } from './open-database.ts';
import type { EntglDbHealthCheck, OfflineQueue, RetryPolicy, SyncStatusTracker } from './public-services.ts';

/** A database and its services, as a dependency injection container holds them: singletons that share the database. */
export interface Services extends AsyncDisposable {
  readonly database: NodeDatabase;
  readonly retryPolicy: RetryPolicy;
  readonly documentCache: DocumentCache;
  readonly offlineQueue: OfflineQueue;
  readonly syncStatusTracker: SyncStatusTracker;
  readonly healthCheck: EntglDbHealthCheck;
  /** Closes the database and all services with it. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens a database and returns its services, for containers that inject each of them separately. All work from the start: the
 * network feeds the tracker, the database reads through the cache, the health check covers everything. Rejects as
 * `openDatabase` does.
 */
export async function createServices(options: OpenDatabaseOptions = {}): Promise<Services> {
  const database = await openDatabase(options);
  return {
    database,
    retryPolicy: database.retryPolicy,
    documentCache: database.cache,
    offlineQueue: database.offlineQueue,
    syncStatusTracker: database.syncTracker,
    healthCheck: database.healthCheck,
    close: () => database.close(),
    [Symbol.asyncDispose]: () => database.close(),
  };
}
