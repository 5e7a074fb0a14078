import type { BenchCase } from '../bench-case.ts';
import { PRICE_MAX } from '../documents.ts';
import { ourSubject } from '../our-subject.ts';
import { articles } from '../ours.ts';
import { type RawOptions, rawSubjects } from '../raw-subject.ts';

const DOCUMENTS = 50_000;
const SHARE = 0.05;
const OPTIONS: RawOptions = { documents: DOCUMENTS, durability: 'normal', isIndexed: true };

export const indexedRange: BenchCase = {
  name: 'indexed range',
  about: `the ${SHARE * 100} % of ${DOCUMENTS} documents in a range of prices, sorted by price, parsed`,
  subjects: {
    ours: ourSubject(OPTIONS, async (node, round) => {
      if (round === 0) await articles(node).ensureIndex('price');
      const { from, to } = rangeOf(round);
      const start = performance.now();
      const found = await articles(node).find({ price: { $gte: from, $lt: to } }, { sort: { price: 1 } });
      return { ms: elapsed(start, found) };
    }),
    ...rawSubjects(OPTIONS, (store, round) => {
      const { from, to } = rangeOf(round);
      const start = performance.now();
      return {
        ms: elapsed(
          start,
          store.priceRange(from, to).map((text) => JSON.parse(text) as object),
        ),
      };
    }),
  },
  goals: [{ figure: 'ms', of: 'row', atMost: 1.2 }],
};

function rangeOf(round: number): { from: number; to: number } {
  const from = (round * 1000) % (PRICE_MAX * (1 - SHARE));
  return { from, to: from + PRICE_MAX * SHARE };
}

function elapsed(start: number, found: readonly object[]): number {
  const ms = performance.now() - start;
  if (found.length !== DOCUMENTS * SHARE) throw new Error(`${found.length} documents in the range`);
  return ms;
}
