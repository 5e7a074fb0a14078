import type { DynamicModule, OnApplicationShutdown, Provider } from '@nestjs/common';
import {
  createServices,
  DocumentCache,
  EntglDbHealthCheck,
  OfflineQueue,
  type OpenDatabaseOptions,
  RetryPolicy,
  type Services,
  SyncStatusTracker,
} from 'entgldb';

/** Injection tokens for what has no class of its own to be injected by. */
export const ENTGLDB_SERVICES = Symbol('EntglDb services');
export const DATABASE = Symbol('EntglDb database');

/** Provides the database and its services to every module: the database under `DATABASE`, each service under its class. */
// biome-ignore lint/complexity/noStaticOnlyClass: a module of NestJS is a class, and forRoot its customary way in
export class EntglDbModule {
  static forRoot(options: OpenDatabaseOptions = {}): DynamicModule {
    const handedOut: Provider[] = [
      from(DATABASE, (services) => services.database),
      from(RetryPolicy, (services) => services.retryPolicy),
      from(DocumentCache, (services) => services.documentCache),
      from(OfflineQueue, (services) => services.offlineQueue),
      from(SyncStatusTracker, (services) => services.syncStatusTracker),
      from(EntglDbHealthCheck, (services) => services.healthCheck),
    ];
    return {
      module: EntglDbModule,
      global: true,
      providers: [
        { provide: ENTGLDB_SERVICES, useFactory: () => createServices(options) },
        { provide: Closing, useFactory: (services: Services) => new Closing(services), inject: [ENTGLDB_SERVICES] },
        ...handedOut,
      ],
      exports: handedOut,
    };
  }
}

/** Closes the database when the application shuts down. Accepted writes are finished, and peers are told. */
class Closing implements OnApplicationShutdown {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  onApplicationShutdown(): Promise<void> {
    return this.#services.close();
  }
}

function from(
  provide: symbol | (abstract new (...args: never[]) => unknown),
  pick: (services: Services) => unknown,
): Provider {
  return { provide: provide as symbol, useFactory: pick, inject: [ENTGLDB_SERVICES] };
}
