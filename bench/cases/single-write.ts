import type { RunningNode } from '../../src/node/node-api.ts';
import type { Durability } from '../baselines/index.ts';
import type { BenchCase, Goal } from '../bench-case.ts';
import { type BenchDocument, benchDocument } from '../documents.ts';
import { ourSubject } from '../our-subject.ts';
import { articles, entryOf } from '../ours.ts';
import { type RawOptions, rawSubjects } from '../raw-subject.ts';
import { perSecond } from '../stopwatch.ts';

export const SINGLE_COUNT = 5000;
const WRITERS = 64;

function singleWrite(durability: Durability, count: number, goals: readonly Goal[]): BenchCase {
  const options: RawOptions = { durability, isFreshEachRun: true };
  const documents = (first: number) => Array.from({ length: count }, (_, i) => benchDocument(first + i));
  return {
    name: `single write, ${durability}`,
    about: `${count} new documents one after the other, each awaited, durability ${durability}; ours also with ${WRITERS} writers at once`,
    subjects: {
      ours: ourSubject(options, async (node) => ({
        'writes/s': await writesPerSecond(node, documents(0), 1),
        [`writes/s, ${WRITERS} writers`]: await writesPerSecond(node, documents(count), WRITERS),
      })),
      ...rawSubjects(options, (store) => {
        const batches = documents(0).map((document) => [document]);
        const start = performance.now();
        for (const batch of batches) store.write(batch);
        return { 'writes/s': perSecond(count, performance.now() - start) };
      }),
    },
    goals,
  };
}

/** Each writer awaits its write before it makes the next. */
async function writesPerSecond(
  node: RunningNode,
  documents: readonly BenchDocument[],
  writers: number,
): Promise<number> {
  const entries = documents.map(entryOf).values();
  const write = async () => {
    for (const [key, value] of entries) await articles(node).put(key, value);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: writers }, write));
  return perSecond(documents.length, performance.now() - start);
}

export const singleWriteNormal: BenchCase = singleWrite('normal', SINGLE_COUNT, [
  { figure: 'writes/s', of: 'row', atLeast: 0.8 },
]);
export const singleWriteFull: BenchCase = singleWrite('full', 2000, [{ figure: 'writes/s', of: 'row', atLeast: 0.9 }]);
