import type { BenchCase } from '../bench-case.ts';
import { benchDocument, randomIndexes } from '../documents.ts';
import { rawSubjects } from '../raw-subject.ts';
import { chunks, perSecond } from '../stopwatch.ts';

const DOCUMENTS = 200_000;
const COUNT = 20_000;
const BATCH = 1000;

export const randomUpdate: BenchCase = {
  name: 'random update',
  about: `${COUNT} updates of random documents among ${DOCUMENTS}, in durable batches of ${BATCH}`,
  subjects: rawSubjects({ documents: DOCUMENTS, durability: 'full' }, (store, round) => {
    const updates = randomIndexes(COUNT, DOCUMENTS, round).map((index) => benchDocument(index, round + 1));
    const batches = chunks(updates, BATCH);
    const start = performance.now();
    for (const batch of batches) store.write(batch);
    return { 'writes/s': perSecond(COUNT, performance.now() - start) };
  }),
  goals: [{ figure: 'writes/s', of: 'row', atLeast: 0.7 }],
};
