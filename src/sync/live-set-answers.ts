import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import { isSameDot } from '../core/version/index.ts';
import type { CheckMessage, Message, NarrowMessage, RangesMessage } from '../net/messages/index.ts';
import type { KeyRange } from '../store/index.ts';
import type { Exchange } from './out-stream.ts';
import type { SessionContext } from './session-context.ts';

/** Documents in a range of the first pass, ranges in one step of it, and documents in a range that was narrowed. */
const FRONT_DOCUMENTS = 1000;
const FRONT_RANGES = 4;
const NARROW_DOCUMENTS = 64;

/** R5: the next part of the front-to-back pass over the live set; one bounded slice of work. */
export function nextRanges(context: SessionContext, collection: CollectionName, exchange: Exchange): RangesMessage {
  const after = exchange.after;
  const ranges = cut(context, collection, { after, upTo: null }, FRONT_DOCUMENTS, FRONT_RANGES);
  exchange.after = ranges.at(-1)!.upTo;
  exchange.isFrontDone = exchange.after === null;
  return describe(context, collection, exchange.number, after, ranges);
}

/** R5: what the receiver asked, answered with the live set as it is now. */
export function answerQuestion(
  context: SessionContext,
  collection: CollectionName,
  question: NarrowMessage | CheckMessage,
): Message[] {
  if (question.kind === 'check') return [missingOf(context, question)];
  return question.ranges.map((range) => {
    const parts = cut(context, collection, range, NARROW_DOCUMENTS, context.deps.limits.rangesPerMessageMax);
    return describe(context, collection, question.exchange, range.after, parts);
  });
}

/** Adjacent ranges of `documents` documents each; the last of at most `rangesMax` takes what is left, or ends the pass early. */
function cut(
  context: SessionContext,
  collection: CollectionName,
  range: KeyRange,
  documents: number,
  rangesMax: number,
): KeyRange[] {
  const ranges: KeyRange[] = [];
  for (let after = range.after; ; ) {
    const next: DocumentKey | undefined = context.replica.store.nthKey(collection, after, documents);
    const isLast =
      next === undefined || (range.upTo !== null && Buffer.compare(Buffer.from(next), Buffer.from(range.upTo)) >= 0);
    const mustEnd = range.upTo !== null && ranges.length === rangesMax - 1;
    const upTo = isLast || mustEnd ? range.upTo : next;
    ranges.push({ after, upTo });
    if (upTo === range.upTo || ranges.length === rangesMax) return ranges;
    after = upTo;
  }
}

function describe(
  context: SessionContext,
  collection: CollectionName,
  exchange: number,
  after: DocumentKey | null,
  ranges: readonly KeyRange[],
): RangesMessage {
  const fingerprints = context.replica.store.fingerprints(collection, ranges);
  return {
    kind: 'ranges',
    collection,
    exchange,
    after,
    ranges: ranges.map(({ upTo }, i) => ({ upTo, fingerprint: fingerprints[i]! })),
  };
}

function missingOf(context: SessionContext, question: CheckMessage): Message {
  const { collection, exchange } = question;
  const versions = question.versions.filter(({ key, dot }) => {
    const held = context.replica.store.get(collection, key, 'once')?.versions ?? [];
    return !held.some((version) => isSameDot(version, dot));
  });
  return { kind: 'missing', collection, exchange, versions };
}
