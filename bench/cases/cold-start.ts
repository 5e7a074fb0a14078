import type { BenchCase, Scale, Subject } from '../bench-case.ts';
import { benchDocument, randomIndexes } from '../documents.ts';
import { articles, openOurs } from '../ours.ts';
import { filledElsewhere } from '../process/sender.ts';
import { timed } from '../stopwatch.ts';

export function coldStartSubject(documents: number): Subject {
  return async (folder) => {
    await filledElsewhere(folder, documents);
    return {
      async run(round) {
        const start = performance.now();
        const node = await openOurs(folder, { nodeId: 'sender', durability: 'full', peerPort: null });
        const ready = performance.now() - start;
        const [index = 0] = randomIndexes(1, documents, round);
        const read = await timed(() => articles(node).require(benchDocument(index).key));
        await node.close();
        return { 'ready ms': ready, 'first read ms': read };
      },
      close: async () => {},
    };
  };
}

export function coldStart({ isFull }: Scale): BenchCase {
  const documents = isFull ? 1_000_000 : 100_000;
  return {
    name: 'cold start',
    about: `a new process opens a node with ${documents} documents, modules loaded: until it listens and serves`,
    subjects: { ours: coldStartSubject(documents) },
    isFreshProcess: true,
    goals: [{ figure: 'ready ms', atMost: 300 }],
  };
}
