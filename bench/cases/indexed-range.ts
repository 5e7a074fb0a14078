import type { BenchCase } from '../bench-case.ts';
import { PRICE_MAX } from '../documents.ts';
import { rawSubjects } from '../raw-subject.ts';

const DOCUMENTS = 50_000;
const SHARE = 0.05;

export const indexedRange: BenchCase = {
  name: 'indexed range',
  about: `the ${SHARE * 100} % of ${DOCUMENTS} documents in a range of prices, sorted by price, parsed`,
  subjects: rawSubjects({ documents: DOCUMENTS, durability: 'normal', isIndexed: true }, (store, round) => {
    const from = (round * 1000) % (PRICE_MAX * (1 - SHARE));
    const start = performance.now();
    const found = store.priceRange(from, from + PRICE_MAX * SHARE).map((text) => JSON.parse(text) as object);
    const ms = performance.now() - start;
    if (found.length !== DOCUMENTS * SHARE) throw new Error(`${found.length} documents in the range`);
    return { ms };
  }),
  goals: [{ figure: 'ms', of: 'row', atMost: 1.2 }],
};
