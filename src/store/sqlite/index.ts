export { isFileGone, openSqliteStore } from './open-sqlite-store.ts';
export { awaitOwner, ownerOf } from './owner-lock.ts';
export { readBackupDocuments } from './read-backup.ts';
export { restoreSqliteFile, verifySqliteFile } from './restore-file.ts';
export type { SqliteStore } from './sqlite-store.ts';
