export { COUNTED_MAX, type PendingWrites, Receipts, type ReplicatedOptions } from './receipts.ts';
