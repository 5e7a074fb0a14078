export type { TransactionHost } from './transaction-host.ts';
export { Transactions, type TransactionsDeps, type WholeCommit } from './transactions.ts';
