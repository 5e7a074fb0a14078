import type { RedoFile } from './redo-file.ts';
import type { WalFile } from './wal-file.ts';

/**
 * The logs that make commits durable: the redo log for recorded ones, SQLite's write-ahead log for all others. With
 * durability `normal`, commits need to survive only the end of the process, so neither log is ever synced.
 */
export class CommitLogs {
  readonly #wal: WalFile;
  readonly #redo: RedoFile;
  readonly #isSynced: boolean;
  /** The newest transaction of SQLite with a commit that has no record. */
  #unrecordedUpTo = 0;
  /** A sync failed and the logs have not been rewritten since: their content may not be on the disk. */
  #areSuspect = false;

  constructor(wal: WalFile, redo: RedoFile, isSynced: boolean) {
    this.#wal = wal;
    this.#redo = redo;
    this.#isSynced = isSynced;
  }

  get areSuspect(): boolean {
    return this.#areSuspect;
  }

  /** Reports that SQLite holds everything recorded. `isRecordless`: together with a change that has no record. */
  settled(isRecordless: boolean): void {
    if (isRecordless) this.#unrecordedUpTo = this.#redo.transactions;
    if (!this.#isSynced) this.#redo.release(this.#redo.transactions);
  }

  /** Resolves when every commit made before the call is durable. */
  async sync(): Promise<void> {
    if (this.#areSuspect) return this.rewrite();
    const { transactions } = this.#redo;
    const isWalNeeded = this.#unrecordedUpTo > this.#redo.durableTransactions || !this.#redo.hasRoom;
    const syncs = isWalNeeded ? [this.#redo.sync(), this.#wal.sync()] : [this.#redo.sync()];
    const failed = (await Promise.allSettled(syncs)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    if (isWalNeeded) this.#redo.release(transactions);
  }

  /** Reports a failed sync: nothing is acknowledged before a `rewrite`. */
  suspect(): void {
    this.#areSuspect = true;
  }

  /** Writes both logs again and makes them durable; see `WalFile.rewrite`. */
  async rewrite(): Promise<void> {
    const { transactions } = this.#redo;
    await this.#wal.rewrite();
    await this.#redo.rewrite();
    this.#redo.release(transactions);
    this.#areSuspect = false;
  }
}
