import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createManualClock } from '../../src/testing/index.ts';
import { openRawStore } from '../baselines/index.ts';
import type { BaselineName, BenchCase, Scale, Subject } from '../bench-case.ts';
import { BATCH, type BenchDocument, COLLECTION, largeDocument, randomIndexes } from '../documents.ts';
import { articles, entryOf, openOurs } from '../ours.ts';
import { chunks } from '../stopwatch.ts';
import { inOwnFolder } from '../subject-folder.ts';
import { TimedDatabase } from '../timed-database.ts';

const DOCUMENTS = 20_000;
const DAYS = 30;
/** By then the first tombstones have been purged, and the file should be as large as it ever gets. */
const SETTLED_DAYS = 15;
const DAY_HOURS = 24;
/** Share of the documents that is updated in a simulated day; as many are deleted and replaced by others. */
const SHARE_A_DAY = 0.1;

type Write = (folder: string, name: string, documents: readonly BenchDocument[]) => Promise<void>;

/** Measures the bytes of the closed file beyond the text of its documents, per byte of text. */
function overheadSubject(write: Write): Subject {
  return async (folder) => ({
    async run(round) {
      const documents = Array.from({ length: DOCUMENTS }, (_, i) => largeDocument(i));
      const payload = documents.reduce((bytes, { text }) => bytes + Buffer.byteLength(text), 0);
      await write(folder, `run-${round}`, documents);
      return { 'metadata ÷ payload': statSync(join(folder, `run-${round}.db`)).size / payload - 1 };
    },
    close: async () => {},
  });
}

const writeOurs: Write = async (folder, name, documents) => {
  const node = await openOurs(folder, { nodeId: name, durability: 'normal' });
  for (const batch of chunks(documents, BATCH)) await articles(node).putMany(batch.map(entryOf));
  await node.close();
};

const writeRaw =
  (subject: BaselineName): Write =>
  async (folder, name, documents) => {
    const store = openRawStore(subject, join(folder, `${name}.db`), 'normal');
    for (const batch of chunks(documents, BATCH)) store.write(batch);
    store.close();
  };

export const diskOverhead: BenchCase = {
  name: 'metadata on disk',
  about: `${DOCUMENTS} documents of about 1 KiB in batches of ${BATCH}: what the closed file has besides their JSON`,
  subjects: {
    ours: overheadSubject(writeOurs),
    row: overheadSubject(writeRaw('row')),
    chained: overheadSubject(writeRaw('chained')),
  },
  runs: 1,
  goals: [{ figure: 'metadata ÷ payload', atMost: 0.25 }],
};

function churnSubject(documents: number): Subject {
  return async (folder) => ({
    async run(round) {
      const own = inOwnFolder(folder, `run-${round}`);
      const clock = createManualClock();
      const bytes: number[] = [];
      for (let day = 0; day < DAYS; day += SETTLED_DAYS) {
        const timed = await TimedDatabase.open(own, clock);
        for (let i = 0; i < SETTLED_DAYS; i++) await useForADay(timed, documents, day + i);
        await timed.close();
        bytes.push(statSync(join(own, 'timed.db')).size);
      }
      const [settled = Number.NaN, aged = Number.NaN] = bytes;
      return { 'MB, day 15': settled / 1e6, 'MB, day 30': aged / 1e6, 'day 30 ÷ day 15': aged / settled };
    },
    close: async () => {},
  });
}

/** One day of use: some documents are updated, and as many are deleted as new ones are written. */
async function useForADay(timed: TimedDatabase, documents: number, day: number): Promise<void> {
  const collection = timed.database.collection(COLLECTION);
  const put = async (indexes: readonly number[]) => {
    for (const batch of chunks(indexes, BATCH))
      await collection.putMany(batch.map((index) => entryOf(largeDocument(index, day))));
  };
  const count = documents * SHARE_A_DAY;
  const first = day * count;
  if (day === 0) await put(Array.from({ length: documents }, (_, i) => i));
  await put(randomIndexes(count, documents - count, day).map((index) => first + count + index));
  for (let i = 0; i < count; i++) await collection.delete(largeDocument(first + i).key);
  await put(Array.from({ length: count }, (_, i) => first + documents + i));
  await timed.pass(DAY_HOURS);
}

export function churn({ isFull }: Scale): BenchCase {
  const documents = isFull ? 20_000 : 5_000;
  return {
    name: 'churn',
    about: `${documents} documents of 1 KiB on a simulated clock: each day ${SHARE_A_DAY * 100} % updated and ${SHARE_A_DAY * 100} % deleted and replaced by others, ${DAYS} days`,
    subjects: { ours: churnSubject(documents) },
    runs: 1,
    goals: [{ figure: 'day 30 ÷ day 15', atMost: 1.05 }],
  };
}
