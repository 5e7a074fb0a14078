import type { Clock } from '../../core/clock/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { SharedSync } from '../shared-sync.ts';
import type { Head } from '../store.ts';
import { lostCommitsError } from '../store-errors.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { DatabaseFile } from './database-file.ts';
import { CommitLogs, type HeadWitness, type RedoFile, type WalFile } from './files/index.ts';
import { toStoreError } from './sqlite-errors.ts';

export interface DurableCommitsDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly file: DatabaseFile;
  readonly wal: WalFile;
  readonly redo: RedoFile;
  readonly checkpointer: Checkpointer;
  readonly witness: HeadWitness;
  /** Whether a commit needs a sync of a log to be what the caller was promised. */
  readonly isSynced: boolean;
}

/** What is recorded is settled after so long, so that the file itself is never far behind. */
const SETTLE_MS_MAX = 100;

/**
 * Makes commits durable, any number of them with one sync. After a sync that failed nothing is believed that was not read back through a
 * new connection: until then every commit is refused.
 */
export class DurableCommits {
  readonly #deps: DurableCommitsDeps;
  readonly #logs: CommitLogs;
  readonly #sync = new SharedSync(() => this.#syncOnce());
  /** Commits made, and those that the last good sync covered. */
  #commits = 0;
  #syncedCommits = 0;
  /** Of the newest commit that moved it. */
  #head: Head | undefined;
  #cancelSettling: (() => void) | undefined;
  #isLoadDue = false;
  #isRecovering = false;
  /** Why removed logs could not be begun anew; told once. */
  #renewalProblem: string | undefined;

  constructor(deps: DurableCommitsDeps) {
    this.#deps = deps;
    this.#logs = new CommitLogs(deps.wal, deps.redo, deps.isSynced);
  }

  /** Before a commit: throws where commits were lost that somebody still believes in. */
  assertLoaded(): void {
    if (this.#isLoadDue) throw lostCommitsError();
  }

  /** Reads what is there; after that nobody believes in lost commits any more. */
  load<T>(read: () => T): T {
    if (this.#isRecovering) throw lostCommitsError();
    const image = read();
    this.#isLoadDue = false;
    return image;
  }

  /** A commit was made. `isRecorded`: it is in the redo log, and in no transaction of SQLite that has ended. */
  committed(head: Head | undefined, isRecorded: boolean): void {
    this.#commits++;
    this.#head = head ?? this.#head;
    if (isRecorded) this.#cancelSettling ??= this.#deps.clock.setTimer(SETTLE_MS_MAX, () => this.#settleIdle());
    else {
      this.#cancelTimer();
      this.#logs.settled(true);
    }
    // A record is its own witness.
    if (!this.#deps.isSynced && !isRecorded) this.#remember(this.#head);
  }

  /** SQLite has committed something that went past `Transactions`. */
  committedAside(): void {
    this.#deps.redo.taken();
    this.committed(undefined, false);
  }

  /** Resolves when every commit so far is durable. */
  flush(): Promise<void> {
    const flushed = this.#deps.isSynced ? this.#sync.request() : Promise.resolve();
    const relief = this.#deps.checkpointer.relief();
    return relief === undefined ? flushed : Promise.all([flushed, relief]).then(() => {});
  }

  /** Logs that somebody removed, who took them for left over, are begun anew, and nothing of them is lost. */
  async keepLogs(): Promise<void> {
    const { file, redo, checkpointer } = this.#deps;
    if (redo.isInPlace && (await file.places.areAllHeld())) {
      this.#renewalProblem = undefined;
      return;
    }
    if (this.#isInterrupted()) return;
    await checkpointer.pause();
    try {
      if (!this.#isInterrupted()) await this.#renewLogs();
    } catch (error) {
      this.#reportRenewal(error);
    } finally {
      checkpointer.resume();
    }
  }

  /** After the last flush. `leave` brings the database in order; false: it could not, and what is in the logs is still needed. */
  async close(leave: () => boolean): Promise<void> {
    const { wal, redo, witness } = this.#deps;
    await wal.close();
    this.#cancelTimer();
    await redo.close(leave());
    witness.close();
  }

  /** There is nothing to be done with the files: none are open, or they are just given up. */
  #isInterrupted(): boolean {
    return this.#deps.file.isClosed || !this.#deps.file.isConnected || this.#isRecovering;
  }

  /** Nobody writes any more for now. What fails here is tried again with the next commit, and is in the redo log meanwhile. */
  #settleIdle(): void {
    const { file, logger, path } = this.#deps;
    this.#cancelSettling = undefined;
    if (this.#isInterrupted()) return;
    try {
      file.change(({ transactions }) => transactions.settle());
      this.#logs.settled(false);
    } catch (error) {
      logger.warn({ err: error, path }, 'commits stay in the redo log for now');
    }
  }

  #cancelTimer(): void {
    this.#cancelSettling?.();
    this.#cancelSettling = undefined;
  }

  #remember(head: Head | undefined): void {
    if (head === undefined) return;
    const { witness, logger, path } = this.#deps;
    try {
      witness.write(head);
    } catch (error) {
      // The commit stands. A witness that stays behind notices less, and says nothing untrue.
      logger.debug({ err: error, path }, 'the head could not be witnessed');
    }
  }

  async #syncOnce(): Promise<void> {
    const covered = this.#commits;
    const head = this.#head;
    if (covered === this.#syncedCommits && !this.#logs.areSuspect) return;
    try {
      await this.#logs.sync();
      this.#syncedCommits = covered;
      this.#remember(head);
    } catch (error) {
      await this.#recover(error);
      throw toStoreError(error, this.#deps.wal.path);
    }
  }

  /** After a failed sync: nothing is believed that was not read back through a new connection. */
  async #recover(error: unknown): Promise<void> {
    const { file, wal, checkpointer, logger } = this.#deps;
    this.#isLoadDue = true;
    this.#isRecovering = true;
    this.#head = undefined;
    this.#logs.suspect();
    logger.error({ err: error, path: wal.path }, 'the disk refused to make commits durable');
    await checkpointer.pause();
    try {
      await this.#logs.rewrite();
    } catch {
      // The same disk refused again; the next flush tries to write the logs anew before it acknowledges anything.
    }
    await wal.close();
    file.disconnect();
    this.#isRecovering = false;
    checkpointer.resume();
  }

  /** What they held goes into the main file, durably, and a new connection begins new ones, all in one step. */
  async #renewLogs(): Promise<void> {
    const { file, wal, redo, checkpointer, logger, path } = this.#deps;
    file.change(() => checkpointer.truncate());
    file.disconnect();
    const closings = [redo.renew(), wal.renew()];
    try {
      file.connect();
      logger.warn(
        { path },
        'logs of the database were removed while it is open; new ones were begun, and nothing is lost',
      );
      await this.flush();
    } finally {
      await Promise.all(closings.map((close) => close()));
    }
  }

  #reportRenewal(error: unknown): void {
    const { message } = error as Error;
    if (message === this.#renewalProblem) return;
    this.#renewalProblem = message;
    this.#deps.logger.error(
      { err: error, path: this.#deps.path },
      'logs of the database were removed while it is open, and cannot be begun anew yet',
    );
  }
}
