import type { Clock } from '../../core/clock/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Query } from '../../core/query/index.ts';
import type { FoundDocument } from '../store.ts';
import type { DatabaseFile } from './database-file.ts';
import type { IndexCare } from './index-care.ts';
import type { QueryRunner } from './query/index.ts';
import type { JobThreads, QueryJob } from './threads/index.ts';

/** Bounds that decide where a query is answered. */
export interface AsideLimits {
  readonly queryLoopDocumentsMax: number;
  readonly asideQueriesMax: number;
  readonly asideLogBytesMax: number;
}

/** Attempts to answer a query in a thread. After that it is answered on the event loop. */
const ATTEMPTS_MAX = 2;
/** If no thread can be started (a bundle without its file, a limit of the system), the next attempt comes after this time. */
const NO_THREAD_MS = 60_000;

/** Abort reason for a query that has to leave its thread through no fault of its own. */
const GIVES_WAY = new Error('a query in a thread gives way');

/** A query and how to get its answer, here or from a thread. */
interface Question<Answer> {
  readonly kind: QueryJob['kind'];
  readonly collection: CollectionName;
  readonly query: Query;
  readonly signal: AbortSignal | undefined;
  /** Answers on the event loop, however long it takes. */
  readonly answer: () => Answer;
  readonly fromThread: (found: FoundDocument[], counted: number) => Answer;
}

export interface AsideQueriesDeps {
  readonly path: string;
  readonly connection: { readonly walMode: boolean };
  readonly limits: AsideLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly threads: JobThreads;
  readonly file: DatabaseFile;
  readonly care: IndexCare;
}

/**
 * Answers queries that look at many documents beside the event loop, in a thread with its own connection, which sees every
 * commit made before. If that fails, the query is answered again here, so that errors are those of the store. The same
 * happens if no thread can be started or another file now lies under the database's name.
 *
 * A reading thread keeps the write-ahead log from being restarted. Whoever needs a restart pauses all of them; the queries
 * then begin again, and after a second interruption they are answered on the event loop, where nobody writes meanwhile.
 */
export class AsideQueries {
  readonly #deps: AsideQueriesDeps;
  /** Queries under way in threads, with the controllers that end them. */
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #resumed: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  #noThreadUntilMs = Number.NEGATIVE_INFINITY;
  /** Message of the last failure of a thread, so that it is logged only once. */
  #problem: string | undefined;

  constructor(deps: AsideQueriesDeps) {
    this.#deps = deps;
  }

  find(
    collection: CollectionName,
    query: Query,
    signal: AbortSignal | undefined,
  ): FoundDocument[] | Promise<FoundDocument[]> {
    const answer = (): FoundDocument[] =>
      this.#read((queries, isTrusted) => queries.find(collection, query, isTrusted));
    if (!this.#mayBegin()) return answer();
    const { queryLoopDocumentsMax } = this.#deps.limits;
    const found = this.#read((queries, isTrusted) =>
      queries.findSoon(collection, query, isTrusted, queryLoopDocumentsMax),
    );
    const fromThread = (documents: FoundDocument[]): FoundDocument[] => documents;
    return found ?? this.#aside({ kind: 'find', collection, query, signal, answer, fromThread });
  }

  count(collection: CollectionName, query: Query, signal: AbortSignal | undefined): number | Promise<number> {
    const answer = (): number => this.#read((queries, isTrusted) => queries.count(collection, query, isTrusted));
    if (!this.#mayBegin()) return answer();
    const { queryLoopDocumentsMax } = this.#deps.limits;
    const count = this.#read((queries, isTrusted) =>
      queries.countSoon(collection, query, isTrusted, queryLoopDocumentsMax),
    );
    const fromThread = (_: unknown, counted: number): number => counted;
    return count ?? this.#aside({ kind: 'count', collection, query, signal, answer, fromThread });
  }

  /** Resolves when no thread reads any more. Interrupted queries, and those asked meanwhile, begin with `resume`. */
  async pause(): Promise<void> {
    if (!this.#isClosed) this.#resumed ??= Promise.withResolvers();
    for (const controller of this.#running.values()) controller.abort(GIVES_WAY);
    await Promise.allSettled(this.#running.keys());
  }

  resume(): void {
    this.#resumed?.resolve();
    this.#resumed = undefined;
  }

  /** The store is closed. Waiting queries then read here, which throws DATABASE_CLOSED. */
  close(): void {
    this.#isClosed = true;
    this.resume();
  }

  /** Not with a rollback journal, where a reader keeps others from writing. */
  #mayBegin(): boolean {
    const { connection, limits, clock } = this.#deps;
    if (!connection.walMode || this.#isClosed || this.#running.size >= limits.asideQueriesMax) return false;
    return clock.monotonic() >= this.#noThreadUntilMs;
  }

  /** Reads on the event loop, using only indexes that are trusted. */
  #read<T>(run: (queries: QueryRunner, isTrusted: (id: number) => boolean) => T): T {
    const { file, care } = this.#deps;
    return file.read(({ queries }) => care.withTrusted((isTrusted) => run(queries, isTrusted)));
  }

  async #aside<Answer>(question: Question<Answer>): Promise<Answer> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      await this.#resumed?.promise;
      if (!this.#mayBegin()) break;
      const stop = new AbortController();
      const answering = this.#inThread(question, stop);
      this.#running.set(answering, stop);
      try {
        const answer = await answering;
        if (answer !== undefined) return answer;
      } catch (error) {
        question.signal?.throwIfAborted();
        if (error !== GIVES_WAY) {
          this.#failed(error);
          break;
        }
        this.#deps.logger.debug({ collection: question.collection, attempt }, 'a query in a thread gives way');
      } finally {
        this.#running.delete(answering);
      }
    }
    question.signal?.throwIfAborted();
    return question.answer();
  }

  /** Undefined: the files are no longer in the places where the thread would open them. */
  async #inThread<Answer>(question: Question<Answer>, stop: AbortController): Promise<Answer | undefined> {
    const { path, threads, file, care } = this.#deps;
    const { kind, collection, query, signal } = question;
    if (!(await file.places.areAllHeld())) return undefined;
    const either = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
    either.throwIfAborted();
    // Another connection sees only what is settled.
    file.change(({ transactions }) => transactions.settle());
    const found: FoundDocument[] = [];
    const counted = await threads.run(
      { kind, path, collection, query, distrusted: care.rotten },
      {
        signal: either,
        onReport: (report) => {
          if (report.kind !== 'found') return;
          const { keys, values } = report.part;
          for (const [i, key] of keys.entries()) found.push({ key, value: values[i]! });
        },
      },
    );
    return question.fromThread(found, counted);
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const { clock, logger, path } = this.#deps;
    // An error of this library comes from the job itself and does not discredit the thread.
    if (!isEntglDbError(error)) this.#noThreadUntilMs = clock.monotonic() + NO_THREAD_MS;
    const { message } = error as Error;
    if (message !== this.#problem)
      logger.warn({ err: error, path }, 'a query could not be answered by a thread; it holds up the event loop');
    this.#problem = message;
  }
}
