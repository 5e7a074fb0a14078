export { type BackupsDeps, createBackups } from './create-backups.ts';
export type { CollectionEquality, EqualityVerdict, PeerEquality } from './equality.ts';
export { NodeServices, type NodeServicesDeps, type ServedNetwork } from './node-services.ts';
