export type { TransactionHost } from './transaction-host.ts';
export { Transactions, type WholeCommit } from './transactions.ts';
