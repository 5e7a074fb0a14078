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
    const ranges = this.#cut({ after, upTo: null }, FRONT_DOCUMENTS, 1);
    this.#after = ranges.at(-1)!.upTo;
    this.#isFrontDone = this.#after === null;
    this.#describe(after, ranges);
    return true;
  }

  /** Describes a range in parts of so many documents; the last part takes what would be too many parts. */
  parts(range: KeyRange, documents: number): void {
    this.#describe(range.after, this.#cut(range, documents, this.#context.deps.limits.rangesPerMessageMax));
  }

  isLargerThan(documents: number, range: KeyRange): boolean {
    return this.#cut(range, documents, 2).length > 1;
  }

  /** Cuts a range into at most `rangesMax` parts of `documents` documents. The last part takes the rest if `range` has an end. */
  #cut(range: KeyRange, documents: number, rangesMax: number): KeyRange[] {
    const { store } = this.#context.replica;
    const ranges: KeyRange[] = [];
    for (let after = range.after; ; ) {
      const next: DocumentKey | undefined = store.nthKey(this.collection, after, documents);
      const isLast = next === undefined || (range.upTo !== null && compareBytes(next, range.upTo) >= 0);
      const mustEnd = range.upTo !== null && ranges.length === rangesMax - 1;
      const upTo = isLast || mustEnd ? range.upTo : next;
      ranges.push({ after, upTo });
      if (upTo === range.upTo || ranges.length === rangesMax) return ranges;
      after = upTo;
    }
  }

  #describe(after: DocumentKey | null, ranges: readonly KeyRange[]): void {
    const fingerprints = this.#context.replica.store.fingerprints(this.collection, ranges);
    const described = ranges.map(({ upTo }, i) => ({ upTo, fingerprint: fingerprints[i]! }));
    this.#context.sendDurable({ kind: 'ranges', ...this.#names, after, ranges: described });
  }
}
