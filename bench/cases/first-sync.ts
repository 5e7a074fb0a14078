import type { BaselineName, BenchCase, Goal, Scale, Subject, Subjects } from '../bench-case.ts';
import { Sender } from '../process/sender.ts';
import { openReceiving } from '../receiving-node.ts';
import { timed } from '../stopwatch.ts';
import { inOwnFolder } from '../subject-folder.ts';

export const FIRST_SYNC_DOCUMENTS = 50_000;
const RECEIVER_MIB_MAX = 160;
const GROWTH_MIB_MAX = 40;

/** An empty node in this process gets everything from one in another process. Both are open when the measurement starts. */
function firstSyncSubject(subject: 'ours' | BaselineName, documents: number): Subject {
  return async (folder) => {
    const sender = await Sender.open({
      subject,
      folder: inOwnFolder(folder, 'sender'),
      documents,
      durability: 'full',
    });
    return {
      async run(round) {
        const receiver = await openReceiving(subject, {
          folder: inOwnFolder(folder, `receiver-${round}`),
          name: 'receiver',
          durability: 'full',
          port: sender.port,
        });
        const ms = await timed(() => {
          receiver.connect();
          return receiver.holds(sender.held);
        });
        const bytes = await receiver.bytes();
        await receiver.close();
        return { ms, bytes };
      },
      close: () => sender.close(),
    };
  };
}

export function firstSyncOf(documents: number, names: readonly ('ours' | BaselineName)[]): Subjects {
  return Object.fromEntries(names.map((name) => [name, firstSyncSubject(name, documents)]));
}

const RECEIVER_GOALS: readonly Goal[] = [
  { figure: 'peak MiB', atMost: RECEIVER_MIB_MAX },
  { figure: 'loop p99 ms', atMost: 50 },
];

export const firstSync: BenchCase = {
  name: 'first sync',
  about: `${FIRST_SYNC_DOCUMENTS} documents into an empty node, until they are durable there; the baselines over plain TCP; memory and event loop are those of the receiver`,
  subjects: firstSyncOf(FIRST_SYNC_DOCUMENTS, ['ours', 'row', 'chained']),
  isFreshProcess: true,
  goals: [
    { figure: 'ms', of: 'chained', atMost: 1.2 },
    // Half a byte per byte of JSON: a document has 256 bytes of it, and takes 421 in the lines of `chained`.
    { figure: 'bytes', of: 'chained', atMost: 0.3 },
    ...RECEIVER_GOALS,
  ],
};

export function largeFirstSync({ isFull }: Scale): BenchCase {
  const documents = isFull ? 500_000 : 200_000;
  return {
    name: 'large first sync',
    about: `${documents} documents into an empty node: its memory follows what is under way, not what there is`,
    subjects: firstSyncOf(documents, ['ours', 'chained']),
    isFreshProcess: true,
    runs: 3,
    goals: [
      { figure: 'peak MiB', atMost: RECEIVER_MIB_MAX + GROWTH_MIB_MAX },
      { figure: 'loop p99 ms', atMost: 50 },
    ],
  };
}

export function firstSyncInSmallHeap({ isFull }: Scale): BenchCase {
  const documents = isFull ? 1_000_000 : 100_000;
  return {
    name: 'first sync, 256 MiB of heap',
    about: `${documents} documents from one node to another, each under --max-old-space-size=256`,
    subjects: firstSyncOf(documents, ['ours']),
    isFreshProcess: true,
    heapMibMax: 256,
    runs: 1,
    goals: [],
  };
}
