import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock/index.ts';

/** Reads in a row from which on they share a transaction: a single read, followed by a write, is better off alone. */
const READS_ALONE = 1;
/** A program that reads without ever letting the event loop turn must not keep the log from being begun anew. */
const READS_TOGETHER = 256;

/**
 * One read transaction for the reads of a turn of the event loop. To take and to give back the locks of a transaction costs
 * more than twice as much as to read a document (5 µs of 7). It ends with the turn, after so many reads, and before anything
 * else is done with the connection; until then nobody changes the database, so that reads see the same as without it.
 */
export class SharedRead {
  readonly #clock: Clock;
  #db: DatabaseSync | undefined;
  #reads = 0;
  #cancelEnd: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A read follows on this connection. */
  begin(db: DatabaseSync): void {
    if (++this.#reads <= READS_ALONE) return;
    if (this.#reads > READS_TOGETHER) this.end();
    if (this.#db !== undefined) return;
    db.exec('BEGIN');
    this.#db = db;
    this.#cancelEnd = this.#clock.setTimer(0, () => this.end());
  }

  /** Anything but a read follows, or nothing for now. */
  end(): void {
    this.#reads = 0;
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    const db = this.#db;
    this.#db = undefined;
    // SQLite has ended it by itself where a read failed badly.
    if (db?.isOpen && db.isTransaction) db.exec('COMMIT');
  }
}
