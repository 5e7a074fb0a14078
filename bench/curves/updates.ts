import { join } from 'node:path';
import { openRawStore } from '../baselines/index.ts';
import type { Subject, Subjects } from '../bench-case.ts';
import { BATCH, type BenchDocument, benchDocument, documentBatches, randomIndexes } from '../documents.ts';
import { articles, entryOf, openOurs } from '../ours.ts';
import { filledElsewhere } from '../process/sender.ts';
import { chunks } from '../stopwatch.ts';

const SINGLE = 1000;
const BATCHED = 10_000;

interface Writer {
  write(documents: readonly BenchDocument[]): unknown;
  close(): unknown;
}

/** Updates of random documents, single and in batches, with durability `normal`: µs per update. */
export function updateSubjects(documents: number): Subjects {
  const subject =
    (open: (folder: string) => Promise<Writer>): Subject =>
    async (folder) => {
      const writer = await open(folder);
      return {
        run: async (round) => ({
          'µs, single': await microseconds(writer, revisions(SINGLE, documents, 2 * round + 1), 1),
          'µs, batched': await microseconds(writer, revisions(BATCHED, documents, 2 * round + 2), BATCH),
        }),
        close: async () => void (await writer.close()),
      };
    };
  return {
    ours: subject((folder) => openOurWriter(folder, documents)),
    row: subject(async (folder) => openRowWriter(folder, documents)),
  };
}

async function openOurWriter(folder: string, documents: number): Promise<Writer> {
  await filledElsewhere(folder, documents);
  const node = await openOurs(folder, { nodeId: 'sender', durability: 'normal' });
  return { write: (batch) => articles(node).putMany(batch.map(entryOf)), close: () => node.close() };
}

function openRowWriter(folder: string, documents: number): Writer {
  const store = openRawStore('row', join(folder, 'row.db'), 'normal');
  for (const batch of documentBatches(documents, BATCH)) store.write(batch);
  return store;
}

function revisions(count: number, below: number, round: number): BenchDocument[] {
  return randomIndexes(count, below, round).map((index) => benchDocument(index, round));
}

async function microseconds(writer: Writer, documents: readonly BenchDocument[], batch: number): Promise<number> {
  const batches = chunks(documents, batch);
  const start = performance.now();
  for (const each of batches) await writer.write(each);
  return ((performance.now() - start) * 1000) / documents.length;
}
