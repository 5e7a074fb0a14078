export type { TransactionHost } from './transaction-host.ts';
export { Transactions, type TransactionsDeps } from './transactions.ts';
