import type { CollectionName } from '../../core/ids/index.ts';
import { isSameDot, type Knowledge, type PurgeLine } from '../../core/version/index.ts';
import type { CheckMessage, NarrowMessage } from '../../net/messages/index.ts';
import type { SessionContext } from '../session-context.ts';
import { LiveSetDescription } from './live-set-description.ts';

/** Documents per narrowed range. */
const NARROW_DOCUMENTS = 64;

/** The sender's half of R5: describes its live set, and answers the receiver's questions about it; see `LiveSetComparison`. */
export class LiveSetAnswers {
  readonly exchange: number;
  /** K_T: what the sender knew when its delta was complete. The claim carries exactly this, nothing later (ADR 0002). */
  readonly knowledge: Knowledge;
  /** The purge line of the claim; undefined until it was made. */
  claimedLine: PurgeLine | undefined;
  readonly #context: SessionContext;
  readonly #description: LiveSetDescription;
  readonly #questions: (NarrowMessage | CheckMessage)[] = [];

  constructor(context: SessionContext, collection: CollectionName, exchange: number) {
    this.exchange = exchange;
    this.knowledge = context.replica.collection(collection).knowledge;
    this.#context = context;
    this.#description = new LiveSetDescription(context, { collection, exchange });
  }

  get questions(): number {
    return this.#questions.length;
  }

  ask(question: NarrowMessage | CheckMessage): void {
    this.#questions.push(question);
  }

  /**
   * One step: answers a question from the present live set, or describes more of it. `last`: it was the receiver's last question, so the
   * claim is due. `none`: it is the receiver's turn.
   */
  answer(): 'more' | 'last' | 'none' {
    const question = this.#questions.shift();
    if (question === undefined) return this.#description.next() ? 'more' : 'none';
    if (question.kind === 'check') this.#check(question);
    else for (const range of question.ranges) this.#description.parts(range, NARROW_DOCUMENTS);
    return question.kind === 'check' && question.last ? 'last' : 'more';
  }

  #check({ collection, exchange, versions }: CheckMessage): void {
    const missing = versions.filter(({ key, dot }) => {
      const held = this.#context.replica.store.get(collection, key, 'once')?.versions ?? [];
      return !held.some((version) => isSameDot(version, dot));
    });
    this.#context.sendDurable({ kind: 'missing', collection, exchange, versions: missing });
  }
}
