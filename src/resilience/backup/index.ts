export type { BackupFile, BackupFiles } from './backup-files.ts';
export { BackupSchedule, type BackupScheduleOptions } from './backup-schedule.ts';
export {
  type BackedUpDatabase,
  type BackupInfo,
  BackupService,
  type BackupServiceDeps,
  type BackupServiceOptions,
  type BackupWork,
  type ManualBackupWork,
} from './backup-service.ts';
export { type BackupPlace, resolveBackupPath } from './resolve-backup-path.ts';
