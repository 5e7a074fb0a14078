export { type ConfirmedPoints, type PeerReceipts, ReceiptTable, type ReceiptTableOptions } from './receipt-table.ts';
export {
  COUNTED_MAX,
  type PendingWrites,
  Receipts,
  type ReceiptsDeps,
  type ReplicatedOptions,
} from './receipts.ts';
