import type { BenchCase } from '../bench-case.ts';
import { benchDocument } from '../documents.ts';
import { rawSubjects } from '../raw-subject.ts';
import { perSecond } from '../stopwatch.ts';

const COUNT = 2000;

export const singleWriteFull: BenchCase = {
  name: 'single write, full',
  about: `${COUNT} new documents one after the other, each awaited, durability full`,
  subjects: rawSubjects({ durability: 'full', isFreshEachRun: true }, (store) => {
    const documents = Array.from({ length: COUNT }, (_, i) => [benchDocument(i)]);
    const start = performance.now();
    for (const document of documents) store.write(document);
    return { 'writes/s': perSecond(COUNT, performance.now() - start) };
  }),
  goals: [{ figure: 'writes/s', of: 'row', atLeast: 0.9 }],
};
