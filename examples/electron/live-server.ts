import type { Database, LiveUpdate } from 'entgldb';
import type { Answer, Request } from './messages.ts';

/** The most live queries that one window may have open. */
const QUERIES_MAX = 100;

/** Answers the live queries of one window. For the process that has the database. */
export class LiveServer {
  readonly #database: Database;
  readonly #isAllowed: (collection: string) => boolean;
  readonly #send: (answer: Answer) => void;
  readonly #open = new Map<number, AsyncIterator<LiveUpdate<object>>>();

  /** A window is only as trustworthy as what it loads, so it sees only allowed collections and cannot write. */
  constructor(database: Database, isAllowed: (collection: string) => boolean, send: (answer: Answer) => void) {
    this.#database = database;
    this.#isAllowed = isAllowed;
    this.#send = send;
  }

  receive(request: Request): void {
    const { id } = request;
    try {
      if (request.kind === 'open') this.#begin(request);
      if (request.kind === 'close') this.#end(id);
      else this.#answer(id);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  /** Ends all queries. Call when the window is gone. */
  close(): void {
    for (const id of [...this.#open.keys()]) this.#end(id);
  }

  #begin({ id, collection, filter, options }: Request & { readonly kind: 'open' }): void {
    if (!this.#isAllowed(collection)) throw new Error(`collection ${collection} is not for windows`);
    if (this.#open.size >= QUERIES_MAX) throw new Error(`a window has at most ${QUERIES_MAX} live queries`);
    this.#end(id);
    this.#open.set(id, this.#database.collection(collection).live(filter, options)[Symbol.asyncIterator]());
  }

  #answer(id: number): void {
    const updates = this.#open.get(id);
    updates?.next().then(
      ({ done, value }) => {
        if (done !== true && this.#open.get(id) === updates) this.#send({ id, kind: 'update', changes: value.changes });
      },
      (error: unknown) => this.#fail(id, error),
    );
  }

  #fail(id: number, error: unknown): void {
    this.#end(id);
    this.#send({ id, kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }

  #end(id: number): void {
    void this.#open.get(id)?.return?.();
    this.#open.delete(id);
  }
}
