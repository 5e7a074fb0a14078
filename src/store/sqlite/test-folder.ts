import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { silentLogger } from '../../core/logging/index.ts';
import { createManualClock } from '../../testing/index.ts';
import { openSqliteStore, type SqliteStoreOptions } from './open-sqlite-store.ts';
import type { SqliteStore } from './sqlite-store.ts';

/** Runs a test in a folder of its own and removes it afterwards. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-store-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Opens `test.db` in the folder. */
export function openInFolder(folder: string, options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
  return openSqliteStore({
    path: join(folder, 'test.db'),
    machineId: 'machine',
    pid: 1,
    clock: createManualClock(),
    logger: silentLogger,
    ...options,
  });
}

/** Changes a database behind the back of the store. */
export function tamper(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}
