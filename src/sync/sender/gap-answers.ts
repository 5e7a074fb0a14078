import type { CollectionName } from '../../core/ids/index.ts';
import type { FetchMessage, NarrowMessage } from '../../net/messages/index.ts';
import type { KeyRange, StoredDocument } from '../../store/index.ts';
import type { SessionContext } from '../session-context.ts';
import { FRONT_DOCUMENTS, LiveSetDescription } from './live-set-description.ts';
import type { PageSize } from './page-size.ts';

/** Documents per range after narrowing once, and twice: each time a sixteenth. */
const NARROWED_DOCUMENTS = [FRONT_DOCUMENTS / 16, FRONT_DOCUMENTS / 256] as const;

/**
 * R11 at the sender: the receiver holds much that it no longer knows about, and asked to compare before anything is sent.
 *
 *   ranges, ranges …        the sender's whole live set, front to back
 *     narrow → ranges       for a range that differs and is large
 *     fetch → versions      for a range that differs and is small
 *   fetch(last) → versions  then the stream is live and the claim follows
 *
 * The result is the delta of R4 without the versions that the receiver would have ignored because it holds them. If the fingerprints
 * of a range are equal, the receiver held, when it compared, everything that the sender held when it described the range. Later
 * changes have a position after the beginning of the round, and are streamed as after any delta.
 */
export class GapAnswers {
  readonly exchange: number;
  readonly #context: SessionContext;
  readonly #description: LiveSetDescription;
  readonly #questions: (NarrowMessage | FetchMessage)[] = [];
  /** Ranges whose versions are still to be sent, in order. `#isLast`: the receiver asks for no more. */
  #fetched: KeyRange[] = [];
  #isLast = false;

  constructor(context: SessionContext, collection: CollectionName, exchange: number) {
    this.exchange = exchange;
    this.#context = context;
    this.#description = new LiveSetDescription(context, { collection, exchange, gaps: true });
  }

  get questions(): number {
    return this.#questions.length;
  }

  ask(question: NarrowMessage | FetchMessage): void {
    this.#questions.push(question);
  }

  /** Whether the next step sends versions, which needs credit. */
  get isSending(): boolean {
    return this.#fetched.length > 0;
  }

  /** True when everything that differs was sent. */
  get isDone(): boolean {
    return this.#isLast && this.#fetched.length === 0;
  }

  /** Describes more of the live set, or takes in a question of the receiver. False: it is the receiver's turn. */
  answer(): boolean {
    const question = this.#questions.shift();
    if (question === undefined) return this.#description.next();
    if (question.kind === 'narrow') for (const range of question.ranges) this.#narrow(range);
    else {
      this.#fetched.push(...question.ranges);
      this.#isLast ||= question.last;
    }
    return true;
  }

  /** The next page of the documents that the receiver fetches. */
  page(pages: PageSize): readonly StoredDocument[] {
    const range = this.#fetched[0]!;
    const limit = pages.ofMessage;
    const found = this.#context.replica.store.inRange(this.#description.collection, range, limit);
    const page = pages.cutChanges(found);
    if (found.length < limit && page.length === found.length) this.#fetched.shift();
    else this.#fetched[0] = { after: page.at(-1)!.key, upTo: range.upTo };
    return page;
  }

  #narrow(range: KeyRange): void {
    const [large, small] = NARROWED_DOCUMENTS;
    this.#description.parts(range, this.#description.isLargerThan(large, range) ? large : small);
  }
}
