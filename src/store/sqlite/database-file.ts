import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../core/clock/index.ts';
import type { DamagedEntry, LogLimits } from '../store.ts';
import { closedError } from '../store-errors.ts';
import { type ConnectionOptions, closeUnsaved, openConnection, setRunning } from './connection.ts';
import { FilePlaces, MainMark, type RedoFile } from './files/index.ts';
import { readPragma } from './read-pragma.ts';
import { SharedRead } from './shared-read.ts';
import { guarded } from './sqlite-errors.ts';
import { migrate } from './tables/index.ts';
import { Tables } from './tables.ts';

export interface DatabaseFileOptions {
  readonly path: string;
  readonly connection: ConnectionOptions;
  readonly limits: LogLimits;
  readonly clock: Clock;
  readonly onDamagedEntry: (entry: DamagedEntry) => void;
}

/**
 * The database through a connection that can be given up, after a failed sync or to restart logs. The next call opens a new
 * one and applies the recorded commits again. Errors are thrown as errors of this library.
 */
export class DatabaseFile {
  readonly places: FilePlaces;
  /** Whether the redo log held records whose predecessors are lost. */
  readonly isRedoCut: boolean;
  readonly #options: DatabaseFileOptions;
  readonly #redo: RedoFile;
  readonly #sharedRead: SharedRead;
  #db: DatabaseSync;
  #tables: Tables;
  #isConnected = true;
  #isClosed = false;

  /** Opens the file. Until `begin`, statements wait for locks as long as an opening may. */
  constructor(options: DatabaseFileOptions, redo: RedoFile) {
    const { path, connection, clock } = options;
    this.#options = options;
    this.#redo = redo;
    this.#sharedRead = new SharedRead(clock);
    this.#db = openConnection(path, connection);
    const { walMode } = connection;
    this.places = new FilePlaces(path, new MainMark(path, walMode, walMode && isAsLong(this.#db, path)));
    try {
      migrate(this.#db);
      this.#tables = this.#newTables();
      this.isRedoCut = this.#tables.transactions.replay();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Ends the opening. */
  begin(): void {
    setRunning(this.#db, this.#options.connection);
    this.places.begin(this.#db, this.#options.clock.now());
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Runs a read, which may share a transaction with other reads. */
  read<T>(run: (tables: Tables, db: DatabaseSync) => T): T {
    return this.#run((tables, db) => {
      // While there are recorded commits, their open transaction serves reads too.
      if (this.#options.connection.walMode && tables.transactions.recorded === 0) this.#sharedRead.begin(db);
      return run(tables, db);
    });
  }

  /** Runs anything but a read. */
  change<T>(run: (tables: Tables, db: DatabaseSync) => T): T {
    return this.#run((tables, db) => {
      this.#sharedRead.end();
      return this.#options.connection.walMode ? run(tables, db) : this.#changeMain(() => run(tables, db));
    });
  }

  /** The connection, with all recorded commits settled, for work on the file itself rather than through the tables. */
  settled(): DatabaseSync {
    this.#sharedRead.end();
    this.#tables.transactions.settle();
    return this.#db;
  }

  /** Gives up the connection. */
  disconnect(): void {
    this.#sharedRead.end();
    this.#closeConnection();
    this.#isConnected = false;
  }

  /** Opens a new connection. If that throws, because the disk fails altogether, the next call tries again. */
  connect(): void {
    this.places.assertMainHeld();
    this.#db = openConnection(this.#options.path, this.#options.connection);
    this.#tables = this.#newTables();
    this.#tables.transactions.replay();
    this.begin();
    this.#isConnected = true;
  }

  /** From now on `read` and `change` throw DATABASE_CLOSED. */
  shut(): void {
    this.#isClosed = true;
  }

  /** After `shut`: runs the last work on the tables. */
  last(run: (tables: Tables) => void): void {
    if (!this.#isConnected) this.connect();
    this.#sharedRead.end();
    this.#tables.transactions.restore();
    run(this.#tables);
  }

  close(): void {
    if (this.#db.isOpen) this.#closeConnection();
    this.places.close();
  }

  #closeConnection(): void {
    if (this.places.isWrittenOver) closeUnsaved(this.#db, this.#options.path);
    else this.#db.close();
  }

  /** Without a write-ahead log: every commit changes the main file, and must be known as one of this node. */
  #changeMain<T>(run: () => T): T {
    this.places.assertMine();
    try {
      return run();
    } finally {
      this.places.afterCopy();
    }
  }

  #newTables(): Tables {
    const { limits, onDamagedEntry } = this.#options;
    return new Tables(this.#db, limits, this.#redo, onDamagedEntry);
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

/** Whether the database has no fewer pages than its file: what was compacted before shortens the file only later. */
function isAsLong(db: DatabaseSync, path: string): boolean {
  return readPragma(db, 'page_count') * readPragma(db, 'page_size') >= statSync(path).size;
}
