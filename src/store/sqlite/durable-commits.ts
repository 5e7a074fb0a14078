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
  /** Whether a commit needs a sync of a log to be as durable as promised. */
  readonly isSynced: boolean;
}

/** Recorded commits are settled after this time, so that the database file is never far behind. */
const SETTLE_MS_MAX = 100;

/**
 * Makes commits durable, any number of them with one sync. After a failed sync only what is read back through a new
 * connection is trusted; until then every commit is refused.
 */
export class DurableCommits {
  readonly #deps: DurableCommitsDeps;
  readonly #logs: CommitLogs;
  readonly #sync = new SharedSync(() => this.#syncOnce());
  /** Number of commits made, and of those that the last good sync covered. */
  #commits = 0;
  #syncedCommits = 0;
  /** The head of the newest commit that had one. */
  #head: Head | undefined;
  #cancelSettling: (() => void) | undefined;
  #isLoadDue = false;
  #isRecovering = false;
  /** Why removed logs could not be replaced, so that it is logged only once. */
  #renewalProblem: string | undefined;

  constructor(deps: DurableCommitsDeps) {
    this.#deps = deps;
    this.#logs = new CommitLogs(deps.wal, deps.redo, deps.isSynced);
  }

  /** To be called before a commit. Throws if commits were lost and the caller has not loaded again. */
  assertLoaded(): void {
    if (this.#isLoadDue) throw lostCommitsError();
  }

  /** Reads the state. After that, the caller no longer relies on lost commits. */
  load<T>(read: () => T): T {
    if (this.#isRecovering) throw lostCommitsError();
    const image = read();
    this.#isLoadDue = false;
    return image;
  }

  /** Reports a commit. `isRecorded`: it is in the redo log, and not yet in a finished transaction of SQLite. */
  committed(head: Head | undefined, isRecorded: boolean): void {
    this.#commits++;
    this.#head = head ?? this.#head;
    if (isRecorded) this.#cancelSettling ??= this.#deps.clock.setTimer(SETTLE_MS_MAX, () => this.#settleIdle());
    else {
      this.#cancelTimer();
      this.#logs.settled(true);
    }
    // A recorded commit needs no witness: its record shows how far the head was.
    if (!this.#deps.isSynced && !isRecorded) this.#remember(this.#head);
  }

  /** Reports a transaction of SQLite that did not go through `Transactions`. */
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

  /** Replaces logs that somebody removed while the database is open, and a redo log that was written over. Nothing in them is lost. */
  async keepLogs(): Promise<void> {
    const { file, redo, checkpointer } = this.#deps;
    if (redo.look() && (await file.places.areAllHeld())) {
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

  /** To be called after the last flush. `leave` finishes the main file; false: it failed, and the logs are still needed. */
  async close(leave: () => boolean): Promise<void> {
    const { wal, redo, witness } = this.#deps;
    await wal.close();
    this.#cancelTimer();
    witness.close();
    await redo.close(leave());
  }

  /** Whether nothing can be done with the files now, because they are closed or being given up. */
  #isInterrupted(): boolean {
    return this.#deps.file.isClosed || !this.#deps.file.isConnected || this.#isRecovering;
  }

  /** Settles when writing has paused. If that fails, the commits stay in the redo log and the next commit tries again. */
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
      // The commit stands. A witness that is behind notices less, but is never wrong.
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

  /** After a failed sync: rewrites the logs if possible and gives up the connection, so that the state is read back. */
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
      // The disk refused again. The next flush rewrites the logs before it acknowledges anything.
    }
    await wal.close();
    file.disconnect();
    this.#isRecovering = false;
    checkpointer.resume();
  }

  /** Copies the content of the logs durably into the main file and opens a new connection, which makes new ones. */
  async #renewLogs(): Promise<void> {
    const { file, wal, redo, checkpointer, logger, path } = this.#deps;
    file.change(() => checkpointer.truncate());
    file.disconnect();
    const closings = [redo.renew(), wal.renew()];
    try {
      file.connect();
      logger.warn(
        { path },
        'logs of the database were removed or written over while it is open; new ones were begun, and nothing is lost',
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
      'logs of the database were removed or written over while it is open, and cannot be begun anew yet',
    );
  }
}
