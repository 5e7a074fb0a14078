import type { BenchCase } from '../bench-case.ts';
import { benchDocument, randomIndexes } from '../documents.ts';
import { rawSubjects } from '../raw-subject.ts';
import { perSecond } from '../stopwatch.ts';

const DOCUMENTS = 50_000;
const COUNT = 20_000;

export const pointRead: BenchCase = {
  name: 'point read, cold',
  about: `${COUNT} random documents among ${DOCUMENTS}, read and parsed, right after the file was opened`,
  subjects: rawSubjects({ documents: DOCUMENTS, durability: 'normal', isReopenedEachRun: true }, (store, round) => {
    const keys = randomIndexes(COUNT, DOCUMENTS, round).map((index) => benchDocument(index).key);
    const start = performance.now();
    for (const key of keys) JSON.parse(store.read(key) ?? 'missing');
    return { 'reads/s': perSecond(COUNT, performance.now() - start) };
  }),
  goals: [{ figure: 'reads/s', of: 'row', atLeast: 0.6 }],
};
