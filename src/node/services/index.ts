export { type BackupsDeps, createBackups } from './create-backups.ts';
export { NodeServices, type NodeServicesDeps, type ServedNetwork } from './node-services.ts';
