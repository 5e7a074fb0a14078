import type { DocumentKey } from '../../core/ids/index.ts';
import type { Fingerprint } from '../../core/version/index.ts';
import type { RangesMessage } from '../../net/messages/index.ts';
import type { KeyRange } from '../../store/index.ts';

/** One range of the sender's live set, as the sender described it. */
export interface DescribedRange {
  readonly range: KeyRange;
  readonly theirs: Fingerprint;
}

export interface DescribedPart {
  /** How often the range was narrowed; 0: it belongs to the pass from front to back. */
  readonly depth: number;
  readonly described: readonly DescribedRange[];
}

/**
 * The receiver's walk through the live set that a sender describes (R5, R11). Ranges come from front to back; those about which
 * the receiver asks for more come again, in parts.
 */
export class RangeWalk {
  /** Ranges that the sender has yet to describe in parts: by their beginning, how often they were narrowed. */
  readonly #narrowed = new Map<DocumentKey | null, number>();
  #front: DocumentKey | null = null;
  #isFrontDone = false;

  /** Whether everything that was asked for has been described. */
  get isDone(): boolean {
    return this.#isFrontDone && this.#narrowed.size === 0;
  }

  /** Takes a description; undefined if nobody waits for these ranges. */
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

  /** Notes that the sender is asked for more about these ranges, which came at this depth. */
  narrow(ranges: readonly KeyRange[], depth: number): void {
    for (const { after } of ranges) this.#narrowed.set(after, depth + 1);
  }
}
