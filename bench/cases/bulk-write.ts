import type { BenchCase } from '../bench-case.ts';
import { benchDocuments } from '../documents.ts';
import { rawSubjects } from '../raw-subject.ts';
import { chunks, perSecond } from '../stopwatch.ts';

const COUNT = 50_000;
const BATCH = 1000;

export const bulkWrite: BenchCase = {
  name: 'bulk write',
  about: `${COUNT} new documents in batches of ${BATCH}, each batch durable (fsync) before the next`,
  subjects: rawSubjects({ durability: 'full', isFreshEachRun: true }, (store) => {
    const batches = chunks(benchDocuments(COUNT), BATCH);
    const start = performance.now();
    for (const batch of batches) store.write(batch);
    return { 'writes/s': perSecond(COUNT, performance.now() - start) };
  }),
  goals: [
    { figure: 'writes/s', of: 'chained', atLeast: 1.3 },
    { figure: 'writes/s', of: 'row', atLeast: 0.5 },
  ],
};
