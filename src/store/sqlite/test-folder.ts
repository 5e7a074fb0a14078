import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseCollectionName } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { FingerprintSum } from '../../core/version/index.ts';
import { createManualClock, sampleDocument, sampleHead, sampleReplica } from '../../testing/index.ts';
import type { StoreBatch } from '../store.ts';
import { markerPathOf, readMarker, writeMarker } from './files/index.ts';
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

/** A batch whose collection row fits its documents `k00000`, …; the second has siblings. */
export function consistentBatch(count: number): StoreBatch {
  const documents = Array.from({ length: count }, (_, i) =>
    sampleDocument({
      key: `k${String(i).padStart(5, '0')}`,
      pos: i + 1,
      ...(i === 1 ? { versions: [{ seq: 2 }, { replica: sampleReplica(2), seq: 9 }] } : {}),
    }),
  );
  const sum = new FingerprintSum();
  for (const { versions } of documents) for (const { digest } of versions) sum.add(digest);
  return {
    head: sampleHead({ seq: count, pos: count }),
    documents,
    collections: [
      {
        name: parseCollectionName('c'),
        state: 'wanted',
        documents: count,
        fingerprint: sum.value(),
        resolver: 'lww@1',
      },
    ],
  };
}

/** Changes a database behind the back of the store. */
export function tamper(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

/**
 * For tests that put files back as a process or a power cut left them: the marker then says, as it would, that it was never copied.
 * One that cannot be trusted stays as it is.
 */
export function neverCopied(path: string): void {
  const marker = readMarker(markerPathOf(path));
  if (marker !== undefined) writeMarker(markerPathOf(path), marker);
}
