export { awaitOwner, ownerOf, takePassingLock } from './files/index.ts';
export { isFileGone, lastLifeOf, openSqliteStore } from './open-sqlite-store.ts';
export { readBackupDocuments, readBackupHead } from './read-backup.ts';
export { restoreSqliteFile, verifySqliteFile } from './restore-file.ts';
export { SalvageFile } from './salvage-file.ts';
export type { SqliteStore } from './sqlite-store.ts';
