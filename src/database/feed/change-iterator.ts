import type { Change } from '../api.ts';
import { DONE, PendingNexts } from '../pending-nexts.ts';
import type { FeedChange, ReadPage } from './change-page.ts';
import type { FeedPosition } from './resume-token.ts';

export interface ChangeIteratorDeps {
  /** Called at the first `next`: registers for `wake` and returns where to start, or throws. */
  readonly start: () => FeedPosition;
  /** 'reset': the changes since then are no longer known. 'idle': nothing new is durable. */
  readonly read: (from: FeedPosition, rowsMax: number) => ReadPage | 'reset' | 'idle';
  /** Whether everything up to this position is durable. If not, it is made so, and `wake` or `readAgain` is called. */
  readonly isDurable: (pos: number) => boolean;
  readonly rowsMax: number;
  /** Where a feed continues after a reset. */
  readonly now: () => FeedPosition;
  readonly end: () => void;
  readonly soon: (run: () => void) => void;
  readonly resumeText: (at: FeedPosition) => string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads changes when its consumer asks for them. It holds one page at most, nothing before the first `next`, and nothing
 * after the end; between two pages other work gets a turn. It ends by `return`, `throw`, an error, its signal or when the
 * database closes. After an error or abort, the oldest pending `next`, or else the following one, rejects with the reason.
 */
export class ChangeIterator<T> implements AsyncIterableIterator<Change<T>, undefined> {
  readonly #deps: ChangeIteratorDeps;
  readonly #nexts = new PendingNexts<Change<T>>();
  #state: 'new' | 'open' | 'done' = 'new';
  #at: FeedPosition = { pos: 0, seen: 0, state: 0 };
  #page: readonly FeedChange[] = [];
  /** The next page, until it may be handed over. */
  #held: ReadPage | undefined;
  #delivered = 0;
  /** Rows to read for the next page: few if documents are large, because most of them would be read in vain. */
  #rows: number;
  #isReadDue = false;

  constructor(deps: ChangeIteratorDeps) {
    this.#deps = deps;
    this.#rows = deps.rowsMax;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Change<T>, undefined>> {
    const next = this.#nexts.add();
    if (this.#state === 'new') this.#start();
    this.#deliver();
    if (!this.#nexts.isEmpty) this.#readSoon();
    return next;
  }

  return(): Promise<IteratorResult<Change<T>, undefined>> {
    this.finish();
    return Promise.resolve(DONE);
  }

  throw(error: unknown): Promise<IteratorResult<Change<T>, undefined>> {
    this.finish();
    return Promise.reject(error);
  }

  /** Call when more changes became durable. */
  wake(): void {
    if (!this.#nexts.isEmpty) this.#read();
  }

  /** Call when commits were lost: a page that was not handed over may lack what came back. */
  readAgain(): void {
    this.#held = undefined;
    if (!this.#nexts.isEmpty) this.#readSoon();
  }

  /** Ends the iteration without an error. */
  finish(): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'done';
    this.#page = [];
    this.#held = undefined;
    this.#delivered = 0;
    if (wasOpen) {
      this.#deps.signal?.removeEventListener('abort', this.#abort);
      this.#deps.end();
    }
    this.#deliver();
  }

  #start(): void {
    const { signal } = this.#deps;
    try {
      signal?.throwIfAborted();
      this.#at = this.#deps.start();
      this.#state = 'open';
      signal?.addEventListener('abort', this.#abort, { once: true });
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #abort = (): void => this.#fail(this.#deps.signal?.reason);

  #fail(reason: unknown): void {
    this.#nexts.fail(reason);
    this.finish();
  }

  #readSoon(): void {
    if (this.#isReadDue) return;
    this.#isReadDue = true;
    this.#deps.soon(() => {
      this.#isReadDue = false;
      this.#read();
    });
  }

  /** Reads a page if a `next` is pending and nothing is left of the last page. */
  #read(): void {
    this.#deliver();
    if (this.#state !== 'open' || this.#nexts.isEmpty) return;
    try {
      const page = this.#held ?? this.#deps.read(this.#at, this.#rows);
      if (page === 'idle') return;
      if (page === 'reset') return this.#reset();
      this.#held = page;
      if (!this.#deps.isDurable(page.wholeAt)) return;
      this.#held = undefined;
      this.#page = page.changes;
      this.#rows = page.isCut ? page.changes.length : Math.min(this.#deps.rowsMax, 2 * this.#rows);
      this.#delivered = 0;
      this.#at = page.at;
    } catch (error) {
      return this.#fail(error);
    }
    this.#deliver();
    if (!this.#nexts.isEmpty) this.#readSoon();
  }

  #reset(): void {
    this.#at = this.#deps.now();
    this.#nexts.answer({ kind: 'reset', resume: this.#deps.resumeText(this.#at) });
    if (!this.#nexts.isEmpty) this.#readSoon();
  }

  #deliver(): void {
    while (!this.#nexts.isEmpty && this.#delivered < this.#page.length)
      this.#nexts.answer(this.#toChange(this.#page[this.#delivered++]!));
    if (this.#state === 'done') this.#nexts.end();
  }

  #toChange({ key, value, origin, at }: FeedChange): Change<T> {
    const resume = this.#deps.resumeText(at);
    return value === null
      ? { kind: 'delete', key, resume, origin }
      : { kind: 'put', key, value: JSON.parse(value), resume, origin };
  }
}
