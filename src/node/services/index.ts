export { backupsOfClosed, createBackups, ownStateOfClosed, shutdownBackupMsMax } from './create-backups.ts';
export type { CollectionEquality, EqualityVerdict, PeerEquality } from './equality.ts';
export { NodeServices } from './node-services.ts';
export type { ServedNetwork } from './served-network.ts';
