export type { BackupFile, BackupFiles } from './backup-files.ts';
export { BackupSchedule } from './backup-schedule.ts';
export {
  type BackedUpDatabase,
  type BackupInfo,
  BackupService,
  type BackupServiceOptions,
  type BackupWork,
  type ManualBackupWork,
  type OwnState,
} from './backup-service.ts';
export type { DatabaseState } from './descent.ts';
export { resolveBackupPath } from './resolve-backup-path.ts';
