import { type CollectionName, compareBytes, type DocumentKey } from '../../core/ids/index.ts';
import type { RangesMessage } from '../../net/messages/index.ts';
import type { KeyRange } from '../../store/index.ts';
import type { SessionContext } from '../session-context.ts';

/** Documents per range in the pass from front to back. One step describes one such range. */
export const FRONT_DOCUMENTS = 4096;

/**
 * Describes the sender's live set to a receiver that compares it with its own documents (R5, R11): in ranges of fingerprints from front
 * to back, and in parts those ranges about which the receiver asks for more. `RangeWalk` takes the descriptions in.
 */
export class LiveSetDescription {
  readonly #context: SessionContext;
  readonly #names: Pick<RangesMessage, 'collection' | 'exchange' | 'gaps'>;
  /** Where the pass continues. */
  #after: DocumentKey | null = null;
  #isFrontDone = false;

  constructor(context: SessionContext, names: Pick<RangesMessage, 'collection' | 'exchange' | 'gaps'>) {
    this.#context = context;
    this.#names = names;
  }

  get collection(): CollectionName {
    return this.#names.collection;
  }

  /** Describes the next range of the pass. False: all was described. */
  next(): boolean {
    if (this.#isFrontDone) return false;
    const after = this.#after;
    this.#after = this.#context.replica.store.nthKey(this.collection, after, FRONT_DOCUMENTS) ?? null;
    this.#isFrontDone = this.#after === null;
    this.#describe(after, [{ after, upTo: this.#after }]);
    return true;
  }

  /** Describes a range in parts of so many documents. */
  parts(range: KeyRange, documents: number): void {
    this.#describe(range.after, this.#cut(range, documents));
  }

  isLargerThan(documents: number, range: KeyRange): boolean {
    return this.#nthWithin(range, range.after, documents) !== undefined;
  }

  /**
   * Cuts a range into parts of `documents` documents. The last part takes what would be too many parts for a message, also if
   * the range has no end: what no part covers would count as compared.
   */
  #cut(range: KeyRange, documents: number): KeyRange[] {
    const { rangesPerMessageMax } = this.#context.deps.limits;
    const ranges: KeyRange[] = [];
    for (let after = range.after; ; ) {
      const isFull = ranges.length === rangesPerMessageMax - 1;
      const next = isFull ? undefined : this.#nthWithin(range, after, documents);
      if (next === undefined) return [...ranges, { after, upTo: range.upTo }];
      ranges.push({ after, upTo: next });
      after = next;
    }
  }

  /** The key of the nth document after `after`; undefined if none in the range follows that one. */
  #nthWithin(range: KeyRange, after: DocumentKey | null, nth: number): DocumentKey | undefined {
    const key = this.#context.replica.store.nthKey(this.collection, after, nth);
    return key !== undefined && (range.upTo === null || compareBytes(key, range.upTo) < 0) ? key : undefined;
  }

  #describe(after: DocumentKey | null, ranges: readonly KeyRange[]): void {
    const fingerprints = this.#context.replica.store.fingerprints(this.collection, ranges);
    const described = ranges.map(({ upTo }, i) => ({ upTo, fingerprint: fingerprints[i]! }));
    this.#context.sendDurable({ kind: 'ranges', ...this.#names, after, ranges: described });
  }
}
