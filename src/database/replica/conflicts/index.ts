export { ConflictLedger, type LedgerEntry, type Moment } from './conflict-ledger.ts';
