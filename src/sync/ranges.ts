import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { RangesMessage } from '../net/messages/index.ts';
import type { KeyRange } from '../store/index.ts';
import type { SyncReplica } from './replica-port.ts';

/** Documents in a range of the pass over a whole live set; one of these is described in one step. */
export const FRONT_DOCUMENTS = 4096;

/** Adjacent ranges of `documents` documents each; the last of at most `rangesMax` takes what is left, or ends the pass early. */
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

/** With the fingerprints of what they hold now. */
export function describeRanges(
  store: SyncReplica['store'],
  collection: CollectionName,
  ranges: readonly KeyRange[],
): RangesMessage['ranges'] {
  const fingerprints = store.fingerprints(collection, ranges);
  return ranges.map(({ upTo }, i) => ({ upTo, fingerprint: fingerprints[i]! }));
}
