import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock/index.ts';

/** Reads that go without a shared transaction: a single read followed by a write is faster alone. */
const READS_ALONE = 1;
/** Reads in one shared transaction. The bound keeps a program that never yields from blocking a restart of the log. */
const READS_TOGETHER = 256;

/**
 * One read transaction for the reads of a turn of the event loop. Taking and releasing the locks of a transaction costs more
 * than twice as much as reading a document (5 µs of 7). The transaction ends with the turn, after READS_TOGETHER reads, and
 * before anything else is done with the connection. Nobody else writes until then, so reads see the same as without it.
 */
export class SharedRead {
  readonly #clock: Clock;
  #db: DatabaseSync | undefined;
  #reads = 0;
  #cancelEnd: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called before a read on this connection. */
  begin(db: DatabaseSync): void {
    if (++this.#reads <= READS_ALONE) return;
    if (this.#reads > READS_TOGETHER) this.end();
    if (this.#db !== undefined) return;
    db.exec('BEGIN');
    this.#db = db;
    this.#cancelEnd = this.#clock.setTimer(0, () => this.end());
  }

  /** To be called before anything but a read. */
  end(): void {
    this.#reads = 0;
    this.#cancelEnd?.();
    this.#cancelEnd = undefined;
    const db = this.#db;
    this.#db = undefined;
    // After some errors of a read SQLite has already ended it.
    if (db?.isOpen && db.isTransaction) db.exec('COMMIT');
  }
}
