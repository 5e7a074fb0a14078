import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { RangesMessage } from '../net/messages/index.ts';
import type { KeyRange } from '../store/index.ts';
import type { SyncReplica } from './replica-port.ts';

/** Documents per range in the pass over a whole live set. One step describes one such range. */
export const FRONT_DOCUMENTS = 4096;

/** Cuts a range into at most `rangesMax` parts of `documents` documents. The last part takes the rest if `range` has an end. */
export function cutRange(
  store: SyncReplica['store'],
  collection: CollectionName,
  range: KeyRange,
  documents: number,
  rangesMax: number,
): KeyRange[] {
  const ranges: KeyRange[] = [];
  for (let after = range.after; ; ) {
    const next: DocumentKey | undefined = store.nthKey(collection, after, documents);
    const isLast =
      next === undefined || (range.upTo !== null && Buffer.compare(Buffer.from(next), Buffer.from(range.upTo)) >= 0);
    const mustEnd = range.upTo !== null && ranges.length === rangesMax - 1;
    const upTo = isLast || mustEnd ? range.upTo : next;
    ranges.push({ after, upTo });
    if (upTo === range.upTo || ranges.length === rangesMax) return ranges;
    after = upTo;
  }
}

/** Ranges with the fingerprints of what they hold now. */
export function describeRanges(
  store: SyncReplica['store'],
  collection: CollectionName,
  ranges: readonly KeyRange[],
): RangesMessage['ranges'] {
  const fingerprints = store.fingerprints(collection, ranges);
  return ranges.map(({ upTo }, i) => ({ upTo, fingerprint: fingerprints[i]! }));
}
