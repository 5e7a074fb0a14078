import type { BenchCase } from '../bench-case.ts';
import { benchDocument, randomIndexes } from '../documents.ts';
import { ourSubject } from '../our-subject.ts';
import { articles } from '../ours.ts';
import { type RawOptions, rawSubjects } from '../raw-subject.ts';
import { perSecond } from '../stopwatch.ts';

export const READ_DOCUMENTS = 50_000;
const READ_COUNT = 20_000;
/** Few enough that our cache holds them all. */
export const HOT_DOCUMENTS = 1000;
const OPTIONS: RawOptions = { documents: READ_DOCUMENTS, durability: 'normal', isReopenedEachRun: true };

export const pointRead: BenchCase = {
  name: 'point read',
  about: `${READ_COUNT} random documents among ${READ_DOCUMENTS}, read and parsed, right after the file was opened; then ${READ_COUNT} among ${HOT_DOCUMENTS} read before`,
  subjects: {
    ours: ourSubject(OPTIONS, async (node, round) => {
      const documents = articles(node);
      const read = async (keys: readonly string[]) => {
        const start = performance.now();
        for (const key of keys) await documents.get(key);
        return perSecond(keys.length, performance.now() - start);
      };
      const cold = await read(keysOf(READ_DOCUMENTS, round));
      await read(keysOf(HOT_DOCUMENTS, round));
      return { 'reads/s': cold, 'reads/s, again': await read(keysOf(HOT_DOCUMENTS, round)) };
    }),
    ...rawSubjects(OPTIONS, (store, round) => {
      const read = (keys: readonly string[]) => {
        const start = performance.now();
        for (const key of keys) JSON.parse(store.read(key) ?? 'missing');
        return perSecond(keys.length, performance.now() - start);
      };
      const cold = read(keysOf(READ_DOCUMENTS, round));
      read(keysOf(HOT_DOCUMENTS, round));
      return { 'reads/s': cold, 'reads/s, again': read(keysOf(HOT_DOCUMENTS, round)) };
    }),
  },
  goals: [
    { figure: 'reads/s', of: 'row', atLeast: 0.6 },
    { figure: 'reads/s, again', of: 'row', atLeast: 3 },
  ],
};

export function keysOf(below: number, round: number): string[] {
  return randomIndexes(READ_COUNT, below, round).map((index) => benchDocument(index).key);
}
