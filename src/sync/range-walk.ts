import type { DocumentKey } from '../core/ids/index.ts';
import type { Fingerprint } from '../core/version/index.ts';
import type { RangesMessage } from '../net/messages/index.ts';
import type { KeyRange } from '../store/index.ts';

/** What the sender said of one range of its live set. */
export interface DescribedRange {
  readonly range: KeyRange;
  readonly theirs: Fingerprint;
}

export interface DescribedPart {
  /** How often it was narrowed; 0: it is of the pass from front to back. */
  readonly depth: number;
  readonly described: readonly DescribedRange[];
}

/**
 * The receiver's way through the live set that a sender describes (R5, R11): its ranges come front to back, and those that the
 * receiver wants to know more about come again, in parts.
 */
export class RangeWalk {
  /** Ranges about which the sender has yet to say more, by their beginning, and how often they were narrowed. */
  readonly #narrowed = new Map<DocumentKey | null, number>();
  #front: DocumentKey | null = null;
  #isFrontDone = false;

  /** Everything was described, as far as it was asked for. */
  get isDone(): boolean {
    return this.#isFrontDone && this.#narrowed.size === 0;
  }

  /** Undefined for ranges that are not due. */
  take({ after, ranges }: RangesMessage): DescribedPart | undefined {
    const isFront = !this.#isFrontDone && after === this.#front;
    const depth = isFront ? 0 : this.#narrowed.get(after);
    if (depth === undefined) return undefined;
    let end = after;
    const described = ranges.map(({ upTo, fingerprint: theirs }) => {
      const range = { after: end, upTo };
      end = upTo;
      return { range, theirs };
    });
    if (isFront) {
      this.#front = end;
      this.#isFrontDone = end === null;
    } else this.#narrowed.delete(after);
    return { depth, described };
  }

  /** The sender is asked to say more about these, which came at this depth. */
  narrow(ranges: readonly KeyRange[], depth: number): void {
    for (const { after } of ranges) this.#narrowed.set(after, depth + 1);
  }
}
