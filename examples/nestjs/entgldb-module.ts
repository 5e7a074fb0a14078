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

/** Injection tokens of what is no class. */
export const ENTGLDB_SERVICES = Symbol('EntglDb services');
export const DATABASE = Symbol('EntglDb database');

/** The database of this process and its services, each under its class, for every module. */
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

/** Closes the database when the application shuts down: accepted writes are finished, peers are told. */
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
