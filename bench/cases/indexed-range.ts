import type { BenchCase } from '../bench-case.ts';
import { PRICE_MAX } from '../documents.ts';
import { ourSubject } from '../our-subject.ts';
import { articles } from '../ours.ts';
import { type RawOptions, rawSubjects } from '../raw-subject.ts';
import { intervalOf } from '../statistics.ts';

export const RANGE_DOCUMENTS = 50_000;
const SHARE = 0.05;
/** Queries in one run; their median is the figure. */
const QUERIES = 20;
const OPTIONS: RawOptions = { documents: RANGE_DOCUMENTS, durability: 'normal', isIndexed: true };

export const indexedRange: BenchCase = {
  name: 'indexed range',
  about: `the ${SHARE * 100} % of ${RANGE_DOCUMENTS} documents in a range of prices, sorted by price, parsed; median of ${QUERIES} queries`,
  subjects: {
    ours: ourSubject(OPTIONS, async (node, round) => {
      if (round === 0) await articles(node).ensureIndex('price');
      const ms: number[] = [];
      for (const { from, to } of rangesOf(round)) {
        const start = performance.now();
        const found = await articles(node).find({ price: { $gte: from, $lt: to } }, { sort: { price: 1 } });
        ms.push(elapsed(start, found));
      }
      return { ms: intervalOf(ms).median };
    }),
    ...rawSubjects(OPTIONS, (store, round) => {
      const ms = rangesOf(round).map(({ from, to }) => {
        const start = performance.now();
        const found = store.priceRange(from, to).map((text) => JSON.parse(text) as object);
        return elapsed(start, found);
      });
      return { ms: intervalOf(ms).median };
    }),
  },
  goals: [{ figure: 'ms', of: 'row', atMost: 1.2 }],
};

export function rangesOf(round: number): { readonly from: number; readonly to: number }[] {
  return Array.from({ length: QUERIES }, (_, i) => {
    const from = ((round * QUERIES + i) * 457) % (PRICE_MAX * (1 - SHARE));
    return { from, to: from + PRICE_MAX * SHARE };
  });
}

/** Milliseconds since the start of a query. Throws if it did not find as many documents as it should. */
export function elapsed(start: number, found: readonly object[]): number {
  const ms = performance.now() - start;
  if (found.length !== RANGE_DOCUMENTS * SHARE) throw new Error(`${found.length} documents in the range`);
  return ms;
}
