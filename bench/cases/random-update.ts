import type { BenchCase } from '../bench-case.ts';
import { type BenchDocument, benchDocument, randomIndexes } from '../documents.ts';
import { ourSubject } from '../our-subject.ts';
import { articles, entryOf } from '../ours.ts';
import { type RawOptions, rawSubjects } from '../raw-subject.ts';
import { chunks, perSecond } from '../stopwatch.ts';

const DOCUMENTS = 200_000;
const COUNT = 20_000;
const BATCH = 1000;
const OPTIONS: RawOptions = { documents: DOCUMENTS, durability: 'full' };

export const randomUpdate: BenchCase = {
  name: 'random update',
  about: `${COUNT} updates of random documents among ${DOCUMENTS}, in durable batches of ${BATCH}`,
  subjects: {
    ours: ourSubject(OPTIONS, async (node, round) => {
      const batches = updates(round).map((batch) => batch.map(entryOf));
      const start = performance.now();
      for (const batch of batches) await articles(node).putMany(batch);
      return { 'writes/s': perSecond(COUNT, performance.now() - start) };
    }),
    ...rawSubjects(OPTIONS, (store, round) => {
      const batches = updates(round);
      const start = performance.now();
      for (const batch of batches) store.write(batch);
      return { 'writes/s': perSecond(COUNT, performance.now() - start) };
    }),
  },
  goals: [{ figure: 'writes/s', of: 'row', atLeast: 0.7 }],
};

function updates(round: number): BenchDocument[][] {
  const documents = randomIndexes(COUNT, DOCUMENTS, round).map((index) => benchDocument(index, round + 1));
  return chunks(documents, BATCH);
}
