export type { CollectionState } from './collection-state.ts';
export type { CommitRecorder, DraftedChange } from './commit-recorder.ts';
export type { ConflictLedger, ConflictSide, LedgerEntry, Moment } from './conflict-ledger.ts';
export type { Draft } from './draft.ts';
export { versionToken } from './local-write.ts';
export type { CommitNotice, LocalOutcome, LocalTransaction, LocalWrite, NewLife } from './outcomes.ts';
export type { PurgePass } from './purge.ts';
export { type CommitListener, Replica, type ReplicaOptions } from './replica.ts';
export { resolverText } from './value-resolver.ts';
