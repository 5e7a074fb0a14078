export { awaitOwner, ownerOf } from './files/index.ts';
export { isFileGone, openSqliteStore } from './open-sqlite-store.ts';
export { readBackupDocuments } from './read-backup.ts';
export { restoreSqliteFile, verifySqliteFile } from './restore-file.ts';
export type { SqliteStore } from './sqlite-store.ts';
