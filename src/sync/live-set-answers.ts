import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import { isSameDot } from '../core/version/index.ts';
import type { CheckMessage, Message, NarrowMessage, RangesMessage } from '../net/messages/index.ts';
import type { KeyRange } from '../store/index.ts';
import type { Exchange } from './out-stream.ts';
import { cutRange, describeRanges, FRONT_DOCUMENTS } from './ranges.ts';
import type { SessionContext } from './session-context.ts';

/** Documents per narrowed range. */
const NARROW_DOCUMENTS = 64;

/** R5: the next part of the front-to-back pass over the live set; one bounded slice of work. */
export function nextRanges(context: SessionContext, collection: CollectionName, exchange: Exchange): RangesMessage {
  const after = exchange.after;
  const ranges = cutRange(context.replica.store, collection, { after, upTo: null }, FRONT_DOCUMENTS, 1);
  exchange.after = ranges.at(-1)!.upTo;
  exchange.isFrontDone = exchange.after === null;
  return describe(context, collection, exchange.number, after, ranges);
}

/** R5: answers a question of the receiver from the present live set. */
export function answerQuestion(
  context: SessionContext,
  collection: CollectionName,
  question: NarrowMessage | CheckMessage,
): Message[] {
  if (question.kind === 'check') return [missingOf(context, question)];
  return question.ranges.map((range) => {
    const partsMax = context.deps.limits.rangesPerMessageMax;
    const parts = cutRange(context.replica.store, collection, range, NARROW_DOCUMENTS, partsMax);
    return describe(context, collection, question.exchange, range.after, parts);
  });
}

function describe(
  context: SessionContext,
  collection: CollectionName,
  exchange: number,
  after: DocumentKey | null,
  ranges: readonly KeyRange[],
): RangesMessage {
  return {
    kind: 'ranges',
    collection,
    exchange,
    after,
    ranges: describeRanges(context.replica.store, collection, ranges),
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
