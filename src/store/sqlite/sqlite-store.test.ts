/**
 * Goal: the SQLite store fulfils the contract of the Store port in both journal modes.
 * Method: the conformance suite on files in a folder of its own.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../core/logging/index.ts';
import { createManualClock, runStoreConformance, type StoreUnderTest } from '../../testing/index.ts';
import { openSqliteStore, type SqliteStoreOptions } from './open-sqlite-store.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

async function openUnderTest(options: Partial<SqliteStoreOptions>): Promise<StoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-store-'));
  const open = (data = 'data') =>
    openSqliteStore({
      path: join(folder, data, 'test.db'),
      machineId: 'machine',
      pid: process.pid,
      clock: createManualClock(),
      logger: silentLogger,
      ...options,
    });
  let store = await open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await open();
      return store;
    },
    afterCrash: async (read) => {
      await cp(join(folder, 'data'), join(folder, 'crashed'), { recursive: true });
      const found = await open('crashed');
      read(found);
      await found.close();
      await rm(join(folder, 'crashed'), { recursive: true });
    },
    // The last row of the batch violates a constraint of the table.
    failCommit: (failing, batch) =>
      failing.commit({ ...batch, entries: [...(batch.entries ?? []), { space: 'events', id: 0.5, data: '' }] }),
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

runStoreConformance({
  test,
  scale: SCALE,
  factory: (limits) => openUnderTest({ ...(limits && { limits }) }),
});

runStoreConformance({
  test: (name, run) => test(`without a write-ahead log: ${name}`, run),
  scale: 0.1,
  factory: (limits) => openUnderTest({ walMode: false, durability: 'normal', ...(limits && { limits }) }),
});
