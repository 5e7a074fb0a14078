import 'reflect-metadata';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EntglDbHealthCheck, OfflineQueue } from 'entgldb';
import { DATABASE, EntglDbModule } from './entgldb-module.ts';
import { UsersService } from './users-service.ts';

class AppModule {}

const appModule: DynamicModule = {
  module: AppModule,
  imports: [EntglDbModule.forRoot({ network: { localhostOnly: true, enableDiscovery: false, tcpPort: 0 } })],
  providers: [
    {
      provide: UsersService,
      useFactory: (...parts: ConstructorParameters<typeof UsersService>) => new UsersService(...parts),
      inject: [DATABASE, OfflineQueue],
    },
  ],
};

const app = await NestFactory.createApplicationContext(appModule, { logger: ['error'] });
app.enableShutdownHooks();

const users = app.get(UsersService);
await users.add('user1', { name: 'Alice' });
const failed = await users.tellOthers(async (key, user) => console.log(`told others of ${key}:`, user));
const health = await app.get(EntglDbHealthCheck).check();
console.log(`failed: ${failed}, healthy: ${health.isHealthy}`);
await app.close();
