import type { BenchCase } from '../bench-case.ts';
import { BATCH, type BenchDocument, benchDocument, randomIndexes } from '../documents.ts';
import { ourSubject } from '../our-subject.ts';
import { articles, entryOf } from '../ours.ts';
import { type RawOptions, rawSubjects } from '../raw-subject.ts';
import { chunks, perSecond } from '../stopwatch.ts';

export const UPDATE_DOCUMENTS = 200_000;
export const UPDATE_COUNT = 20_000;
const OPTIONS: RawOptions = { documents: UPDATE_DOCUMENTS, durability: 'full' };

export const randomUpdate: BenchCase = {
  name: 'random update',
  about: `${UPDATE_COUNT} updates of random documents among ${UPDATE_DOCUMENTS}, in durable batches of ${BATCH}`,
  subjects: {
    ours: ourSubject(OPTIONS, async (node, round) => {
      const batches = updatesOf(round).map((batch) => batch.map(entryOf));
      const start = performance.now();
      for (const batch of batches) await articles(node).putMany(batch);
      return { 'writes/s': perSecond(UPDATE_COUNT, performance.now() - start) };
    }),
    ...rawSubjects(OPTIONS, (store, round) => {
      const batches = updatesOf(round);
      const start = performance.now();
      for (const batch of batches) store.write(batch);
      return { 'writes/s': perSecond(UPDATE_COUNT, performance.now() - start) };
    }),
  },
  goals: [{ figure: 'writes/s', of: 'row', atLeast: 0.7 }],
};

/** The batches of a round. */
export function updatesOf(round: number): BenchDocument[][] {
  const documents = randomIndexes(UPDATE_COUNT, UPDATE_DOCUMENTS, round).map((index) =>
    benchDocument(index, round + 1),
  );
  return chunks(documents, BATCH);
}
