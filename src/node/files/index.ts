export { backupFiles } from './backup-files.ts';
export { readDiskSpace } from './disk-space.ts';
export { createInPlaceTest } from './in-place.ts';
