export type { CollectionState } from './collection-state.ts';
export type { CommitRecorder } from './commit-recorder.ts';
export type { LedgerEntry, Moment } from './conflict-ledger.ts';
export type { Draft, DraftedChange } from './draft.ts';
export { tooLarge, versionToken } from './local-write.ts';
export type { CommitNotice, LocalOutcome, LocalTransaction, LocalWrite, NewLife } from './outcomes.ts';
export { Replica } from './replica.ts';
export type { CommitListener } from './replica-state.ts';
export { resolverText } from './value-resolver.ts';
