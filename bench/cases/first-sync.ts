import { setTimeout as sleep } from 'node:timers/promises';
import type { BaselineName, BenchCase, Goal, Scale, Subject, Subjects } from '../bench-case.ts';
import { COLLECTION } from '../documents.ts';
import { Sender } from '../process/sender.ts';
import { OurReceivingNode, openReceiving } from '../receiving-node.ts';
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

/** Three as a till declares them. Documents arrive in no order of these values. */
const INDEXES = ['price', 'ean', 'name'];

/** The same into a collection with three indexes, until they are ready, too. */
const indexedFirstSyncSubject: Subject = async (folder) => {
  const durability = 'full';
  const sender = await Sender.open({
    subject: 'ours',
    folder: inOwnFolder(folder, 'sender'),
    documents: FIRST_SYNC_DOCUMENTS,
    durability,
  });
  return {
    async run(round) {
      const place = inOwnFolder(folder, `receiver-${round}`);
      const receiver = await OurReceivingNode.open({
        folder: place,
        name: 'receiver',
        durability,
        port: sender.port,
      });
      const articles = receiver.node.database.collection(COLLECTION, { indexes: INDEXES });
      const areReady = async (): Promise<void> => {
        while ((await articles.indexes()).some(({ state }) => state !== 'ready')) await sleep(5);
      };
      await areReady();
      const start = performance.now();
      receiver.connect();
      await receiver.holds(sender.held);
      const ms = performance.now() - start;
      await areReady();
      const readyMs = performance.now() - start;
      await receiver.close();
      return { ms, 'ms until indexed': readyMs };
    },
    close: () => sender.close(),
  };
};

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

export const indexedFirstSync: BenchCase = {
  name: 'first sync, indexed',
  about: `${FIRST_SYNC_DOCUMENTS} documents into an empty collection with three indexes: until they are durable, and until all indexes answer queries`,
  subjects: { ours: indexedFirstSyncSubject },
  isFreshProcess: true,
  goals: RECEIVER_GOALS.filter(({ figure }) => figure === 'loop p99 ms'),
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
