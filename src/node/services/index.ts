export { createBackups } from './create-backups.ts';
export type { CollectionEquality, EqualityVerdict, PeerEquality } from './equality.ts';
export { NodeServices, type ServedNetwork } from './node-services.ts';
