import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../core/logging/index.ts';
import type { RemoteVersion } from '../core/replication/index.ts';
import { createMemoryStore, type MemoryStore, type Store, type StoreIdentity } from '../store/index.ts';
import { openSqliteStore } from '../store/sqlite/index.ts';
import { createManualClock, createSeededRandom, type ManualClock } from '../testing/index.ts';
import type { Change } from './api.ts';
import type { LocalDatabase } from './database.ts';
import { type LocalDatabaseDeps, openLocalDatabase } from './open-local-database.ts';

export type IdentifiedStore = Store & { readonly identity: StoreIdentity };

/** For tests: a disk on which a store can be opened again after it was closed. */
export interface TestDisk {
  open(): Promise<IdentifiedStore>;
}

/** For tests: registers one test for each kind of store. */
export function testOnStores(name: string, run: (disk: TestDisk) => Promise<void>): void {
  test(`memory: ${name}`, async () => run(memoryDisk()));
  test(`sqlite: ${name}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'entgldb-database-'));
    try {
      await run(sqliteDisk(join(folder, 'test.db')));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

export interface TestDatabase extends AsyncDisposable {
  readonly db: LocalDatabase;
  readonly clock: ManualClock;
}

/** For tests: a database with a clock that stands still and a random source of its own. */
export async function openTestDatabase(
  disk: TestDisk = memoryDisk(),
  options: Partial<LocalDatabaseDeps> & { readonly seed?: number } = {},
): Promise<TestDatabase> {
  return openOn(options.store === undefined ? await disk.open() : (options.store as IdentifiedStore), options);
}

/** For tests: a database on a store in memory whose faults are at hand. */
export function openOn<S extends IdentifiedStore>(
  store: S,
  { seed = 1, ...options }: Partial<LocalDatabaseDeps> & { readonly seed?: number } = {},
): TestDatabase {
  const clock = createManualClock();
  const db = openLocalDatabase({
    store,
    identity: store.identity,
    nodeId: 'node-1',
    clock,
    random: createSeededRandom(seed),
    soon: setImmediate,
    ...options,
  });
  return { db, clock, [Symbol.asyncDispose]: () => db.close() };
}

/** Ends the turn of the event loop, so that everything due has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function memoryDisk(): TestDisk {
  let store: MemoryStore | undefined;
  return {
    open: async () => {
      store = store === undefined ? createMemoryStore() : store.reopen();
      return store;
    },
  };
}

export function sqliteDisk(path: string): TestDisk {
  return {
    open: () =>
      openSqliteStore({ path, machineId: 'm', pid: process.pid, clock: createManualClock(), logger: silentLogger }),
  };
}

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

/** The iterator of a `watch`, for tests that ask for changes one by one. */
export function iteratorOf<T>(changes: AsyncIterable<Change<T>>): AsyncIterator<Change<T>, undefined> {
  return changes[Symbol.asyncIterator]() as AsyncIterator<Change<T>, undefined>;
}

/** Runs a test for seeds from 1 on. An error names the seed. */
export async function forEachSeed(count: number, run: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= count * SCALE; seed++) {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Applies one version from another replica, as a session would. */
export function applyRemote(
  db: LocalDatabase,
  collection: string,
  key: string,
  value: string | null,
  seq = 1,
  replica = 'f'.repeat(32),
): void {
  const version: RemoteVersion = {
    collection: collection as RemoteVersion['collection'],
    key: key as RemoteVersion['key'],
    replica: replica as RemoteVersion['replica'],
    seq,
    first: seq,
    hlc: seq as RemoteVersion['hlc'],
    context: [],
    value,
    stamps: null,
    format: 0,
  };
  db.replica.applyRemote([version], []);
}
