import type { Live, LiveChange, LiveEntry } from 'entgldb';
import type { Answer, Request } from './messages.ts';

type Listener = () => void;
type OpenRequest = Omit<Request & { readonly kind: 'open' }, 'id' | 'kind'>;

/** The live queries of a window, answered by the process that has the database. Loads nothing of `entgldb`, which runs there. */
export class LiveClient {
  readonly #send: (request: Request) => void;
  readonly #open = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(send: (request: Request) => void) {
    this.#send = send;
  }

  receive(answer: Answer): void {
    this.#open.get(answer.id)?.(answer);
  }

  /** A live query for `useLive` and similar functions. It starts when somebody subscribes. */
  live<T extends object>(
    collection: string,
    filter: object = {},
    options: OpenRequest['options'] = {},
  ): Pick<Live<readonly LiveEntry<T>[]>, 'subscribe' | 'getSnapshot'> {
    const connect = (onAnswer: (answer: Answer) => void): { next: Listener; close: Listener } => {
      const id = ++this.#lastId;
      this.#open.set(id, onAnswer);
      this.#send({ id, kind: 'open', collection, filter, options });
      return {
        next: () => this.#send({ id, kind: 'next' }),
        close: () => {
          this.#open.delete(id);
          this.#send({ id, kind: 'close' });
        },
      };
    };
    return new RemoteLive<T>(connect);
  }
}

class RemoteLive<T extends object> {
  readonly #connect: (onAnswer: (answer: Answer) => void) => { next: Listener; close: Listener };
  readonly #listeners = new Set<{ listener: Listener; onError: ((error: unknown) => void) | undefined }>();
  #connection: { next: Listener; close: Listener } | undefined;
  #snapshot: readonly LiveEntry<T>[] | undefined;
  /** The results of the current connection, to which changes are applied. The snapshot may still be from an earlier one. */
  #results: readonly LiveEntry<T>[] = [];
  #failure: Error | undefined;

  constructor(connect: (onAnswer: (answer: Answer) => void) => { next: Listener; close: Listener }) {
    this.#connect = connect;
  }

  getSnapshot(): readonly LiveEntry<T>[] | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#snapshot;
  }

  subscribe(listener: Listener, onError?: (error: unknown) => void): Listener {
    const subscriber = { listener, onError };
    this.#listeners.add(subscriber);
    if (this.#connection === undefined) this.#begin();
    return () => {
      if (!this.#listeners.delete(subscriber) || this.#listeners.size > 0) return;
      this.#connection?.close();
      this.#connection = undefined;
    };
  }

  #begin(): void {
    this.#results = [];
    this.#failure = undefined;
    this.#connection = this.#connect((answer) => {
      if (answer.kind === 'update') {
        this.#results = makeSteps(this.#results, answer.changes as readonly LiveChange<T>[]);
        this.#snapshot = this.#results;
        for (const { listener } of [...this.#listeners]) listener();
        this.#connection?.next();
      } else {
        this.#failure = new Error(answer.message);
        this.#connection = undefined;
        for (const { listener, onError } of [...this.#listeners]) (onError ?? listener)(this.#failure);
      }
    });
  }
}

/** Does what `applyLiveChanges` does, for a window that does not load `entgldb`. */
function makeSteps<T>(results: readonly LiveEntry<T>[], changes: readonly LiveChange<T>[]): LiveEntry<T>[] {
  const list = [...results];
  for (const change of changes) {
    const { kind, key, index } = change;
    if (kind === 'removed') list.splice(index, 1);
    else {
      if (kind === 'moved') list.splice(change.from, 1);
      list.splice(index, kind === 'changed' ? 1 : 0, { key, value: change.value });
    }
  }
  return list;
}
