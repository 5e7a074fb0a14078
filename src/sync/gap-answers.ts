import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { FetchMessage, NarrowMessage, RangesMessage } from '../net/messages/index.ts';
import type { KeyRange, StoredDocument } from '../store/index.ts';
import type { PageSize } from './page-size.ts';
import { cutRange, describeRanges, FRONT_DOCUMENTS } from './ranges.ts';
import type { SessionContext } from './session-context.ts';

/** Documents in a range that was narrowed once, and twice: a sixteenth of the one before. */
const NARROWED_DOCUMENTS = [FRONT_DOCUMENTS / 16, FRONT_DOCUMENTS / 256] as const;

/**
 * R11 at the sender: the receiver holds much of which it knows nothing any more, and asked to compare before anything is sent.
 *
 *   ranges, ranges …        the sender's whole live set, front to back
 *     narrow → ranges       for a range that differs and is large
 *     fetch → versions      for a range that differs and is small
 *   fetch(last) → versions  then the stream is live and the claim follows
 *
 * It is the delta of R4, less the versions that the receiver would have ignored as already here: what fingerprints of one range say
 * to be equal, the receiver held when it compared, all that the sender held when it described it. What changes afterwards has
 * a later position than that of the round's beginning, and is streamed as after any delta.
 */
export class GapAnswers {
  readonly exchange: number;
  readonly #context: SessionContext;
  readonly #collection: CollectionName;
  readonly #questions: (NarrowMessage | FetchMessage)[] = [];
  /** Where the front-to-back pass of ranges goes on. */
  #after: DocumentKey | null = null;
  #isFrontDone = false;
  /** Ranges whose versions are being sent, in turn; with the last of them everything was sent. */
  #fetched: KeyRange[] = [];
  #isLast = false;

  constructor(context: SessionContext, collection: CollectionName, exchange: number) {
    this.#context = context;
    this.#collection = collection;
    this.exchange = exchange;
  }

  get questions(): number {
    return this.#questions.length;
  }

  ask(question: NarrowMessage | FetchMessage): void {
    this.#questions.push(question);
  }

  /** Whether the next step sends versions, which takes credit. */
  get isSending(): boolean {
    return this.#fetched.length > 0;
  }

  /** True when all that differs was sent. */
  get isDone(): boolean {
    return this.#isLast && this.#fetched.length === 0;
  }

  /** Tells the receiver more about the live set, or takes up what it fetches. False: it is the receiver's turn. */
  answer(): boolean {
    const question = this.#questions.shift();
    if (question !== undefined) this.#answer(question);
    else if (!this.#isFrontDone) this.#nextRanges();
    else return false;
    return true;
  }

  /** The next page of what the receiver fetches. */
  page(pages: PageSize): readonly StoredDocument[] {
    const range = this.#fetched[0]!;
    const limit = pages.ofMessage;
    const found = this.#context.replica.store.inRange(this.#collection, range, limit);
    const page = pages.cutChanges(found);
    if (found.length < limit && page.length === found.length) this.#fetched.shift();
    else this.#fetched[0] = { after: page.at(-1)!.key, upTo: range.upTo };
    return page;
  }

  #answer(question: NarrowMessage | FetchMessage): void {
    if (question.kind === 'narrow') {
      for (const range of question.ranges) this.#describe(range.after, this.#narrowed(range));
      return;
    }
    this.#fetched.push(...question.ranges);
    this.#isLast ||= question.last;
  }

  #narrowed(range: KeyRange): KeyRange[] {
    const { replica, deps } = this.#context;
    const [large, small] = NARROWED_DOCUMENTS;
    const holdsMore = cutRange(replica.store, this.#collection, range, large, 2).length > 1;
    return cutRange(replica.store, this.#collection, range, holdsMore ? large : small, deps.limits.rangesPerMessageMax);
  }

  #nextRanges(): void {
    const after = this.#after;
    const ranges = cutRange(this.#context.replica.store, this.#collection, { after, upTo: null }, FRONT_DOCUMENTS, 1);
    this.#after = ranges.at(-1)!.upTo;
    this.#isFrontDone = this.#after === null;
    this.#describe(after, ranges);
  }

  #describe(after: DocumentKey | null, ranges: readonly KeyRange[]): void {
    const described: RangesMessage = {
      kind: 'ranges',
      collection: this.#collection,
      exchange: this.exchange,
      after,
      ranges: describeRanges(this.#context.replica.store, this.#collection, ranges),
      gaps: true,
    };
    this.#context.sendDurable(described);
  }
}
