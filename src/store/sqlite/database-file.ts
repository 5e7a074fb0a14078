import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock/index.ts';
import type { LogLimits } from '../store.ts';
import { closedError } from '../store-errors.ts';
import { type ConnectionOptions, openConnection, setRunning } from './connection.ts';
import { FilePlaces, type RedoFile } from './files/index.ts';
import { SharedRead } from './shared-read.ts';
import { guarded } from './sqlite-errors.ts';
import { migrate } from './tables/index.ts';
import { Tables } from './tables.ts';

export interface DatabaseFileOptions {
  readonly path: string;
  readonly connection: ConnectionOptions;
  readonly limits: LogLimits;
  readonly clock: Clock;
}

/**
 * The database through one connection, which may be given up: after a failed sync, and to begin logs anew. The next call makes another
 * one, and what was recorded is applied again. Errors come out as errors of this library.
 */
export class DatabaseFile {
  readonly places: FilePlaces;
  /** Records were found that follow on others, which are lost. */
  readonly isRedoCut: boolean;
  readonly #options: DatabaseFileOptions;
  readonly #redo: RedoFile;
  readonly #sharedRead: SharedRead;
  #db: DatabaseSync;
  #tables: Tables;
  #isConnected = true;
  #isClosed = false;

  /** Opens it, with the patience of an opening until `begin`. */
  constructor(options: DatabaseFileOptions, redo: RedoFile) {
    const { path, connection, limits, clock } = options;
    this.#options = options;
    this.#redo = redo;
    this.#sharedRead = new SharedRead(clock);
    this.#db = openConnection(path, connection);
    this.places = new FilePlaces(path);
    try {
      migrate(this.#db);
      this.#tables = new Tables(this.#db, limits, redo);
      this.isRedoCut = this.#tables.transactions.replay();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Opening is over. */
  begin(): void {
    setRunning(this.#db, this.#options.connection);
    this.places.noteLogs();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Reads, together with the reads around it. */
  read<T>(run: (tables: Tables, db: DatabaseSync) => T): T {
    return this.#run((tables, db) => {
      // While commits are recorded, their transaction is open for reads, too.
      if (this.#options.connection.walMode && tables.transactions.recorded === 0) this.#sharedRead.begin(db);
      return run(tables, db);
    });
  }

  /** Does anything else with the connection. */
  change<T>(run: (tables: Tables, db: DatabaseSync) => T): T {
    return this.#run((tables, db) => {
      this.#sharedRead.end();
      return run(tables, db);
    });
  }

  /** For what works on the file itself rather than through the tables: it holds everything that was recorded. */
  settled(): DatabaseSync {
    this.#sharedRead.end();
    this.#tables.transactions.settle();
    return this.#db;
  }

  /** Gives the connection up. */
  disconnect(): void {
    this.#sharedRead.end();
    this.#db.close();
    this.#isConnected = false;
  }

  /** On a disk that fails altogether this throws, and is tried again with the next call. */
  connect(): void {
    this.places.assertMainHeld();
    this.#db = openConnection(this.#options.path, this.#options.connection);
    this.#tables = new Tables(this.#db, this.#options.limits, this.#redo);
    this.#tables.transactions.replay();
    this.begin();
    this.#isConnected = true;
  }

  /** Nobody is let in any more. */
  shut(): void {
    this.#isClosed = true;
  }

  /** After `shut`: the last thing that is done with the tables. */
  last(run: (tables: Tables) => void): void {
    if (!this.#isConnected) this.connect();
    this.#sharedRead.end();
    this.#tables.transactions.restore();
    run(this.#tables);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #run<T>(run: (tables: Tables, db: DatabaseSync) => T): T {
    if (this.#isClosed) throw closedError();
    return guarded(this.#options.path, () => {
      if (!this.#isConnected) this.connect();
      if (this.#tables.transactions.isTakenBack) {
        this.#sharedRead.end();
        this.#tables.transactions.restore();
      }
      return run(this.#tables, this.#db);
    });
  }
}
