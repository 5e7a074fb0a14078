import type { DatabaseSync } from 'node:sqlite';

/** The value of an integer pragma. */
export function readPragma(db: DatabaseSync, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return Number(row === undefined ? 0 : Object.values(row)[0]);
}
