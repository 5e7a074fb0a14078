import type { BenchCase } from '../bench-case.ts';
import { benchDocuments } from '../documents.ts';
import { ourSubject } from '../our-subject.ts';
import { articles, entryOf } from '../ours.ts';
import { type RawOptions, rawSubjects } from '../raw-subject.ts';
import { chunks, perSecond } from '../stopwatch.ts';

export const BULK_COUNT = 50_000;
export const BULK_BATCH = 1000;
const OPTIONS: RawOptions = { durability: 'full', isFreshEachRun: true };

export const bulkWrite: BenchCase = {
  name: 'bulk write',
  about: `${BULK_COUNT} new documents in batches of ${BULK_BATCH}, each batch durable (fsync) before the next`,
  subjects: {
    ours: ourSubject(OPTIONS, async (node) => {
      const batches = chunks(benchDocuments(BULK_COUNT).map(entryOf), BULK_BATCH);
      const start = performance.now();
      for (const batch of batches) await articles(node).putMany(batch);
      return { 'writes/s': perSecond(BULK_COUNT, performance.now() - start) };
    }),
    ...rawSubjects(OPTIONS, (store) => {
      const batches = chunks(benchDocuments(BULK_COUNT), BULK_BATCH);
      const start = performance.now();
      for (const batch of batches) store.write(batch);
      return { 'writes/s': perSecond(BULK_COUNT, performance.now() - start) };
    }),
  },
  goals: [
    { figure: 'writes/s', of: 'chained', atLeast: 1.3 },
    { figure: 'writes/s', of: 'row', atLeast: 0.5 },
  ],
};
