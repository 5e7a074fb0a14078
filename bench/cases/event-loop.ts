import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createManualClock } from '../../src/testing/index.ts';
import type { BenchCase, Figures, Scale, Subject } from '../bench-case.ts';
import { BATCH, COLLECTION, documentBatches } from '../documents.ts';
import { Gauges } from '../gauges.ts';
import { articles, entryOf, openOurs } from '../ours.ts';
import { filledElsewhere } from '../process/sender.ts';
import { inOwnFolder } from '../subject-folder.ts';
import { TimedDatabase } from '../timed-database.ts';

/** Longer than the retention of tombstones. */
const FORGOTTEN_HOURS = 8 * 24;

/** Long work of a node on its own database; measures the event loop for each kind. `first sync` measures it for syncing. */
function eventLoopSubject(documents: number): Subject {
  return async (folder) => {
    await filledElsewhere(folder, documents);
    const node = await openOurs(folder, { nodeId: 'sender', durability: 'full' });
    return {
      async run(round) {
        const backup = join(folder, `backup-${round}.db`);
        const backingUp = await watched('backing up', () =>
          node.maintenance.backup(backup, { isAnywhereAllowed: true }),
        );
        rmSync(backup);
        const indexing = await watched('indexing', () => articles(node).ensureIndex('price'));
        await articles(node).dropIndex('price');
        return { ...backingUp, ...indexing, ...(await purging(inOwnFolder(folder, `purge-${round}`), documents)) };
      },
      close: () => node.close(),
    };
  };
}

/** All documents were deleted long ago, and their tombstones are purged. */
async function purging(folder: string, documents: number): Promise<Figures> {
  const timed = await TimedDatabase.open(folder, createManualClock());
  const collection = timed.database.collection(COLLECTION);
  for (const batch of documentBatches(documents, BATCH)) {
    await collection.putMany(batch.map(entryOf));
    await Promise.all(batch.map(({ key }) => collection.delete(key)));
  }
  const { replica } = timed.database;
  const figures = await watched('purging', async () => {
    await timed.pass(FORGOTTEN_HOURS);
    while (replica.store.dead(Number.MAX_SAFE_INTEGER, 1).length > 0) await turn();
  });
  await timed.close();
  return figures;
}

async function watched(what: string, work: () => Promise<unknown>): Promise<Figures> {
  const gauges = new Gauges();
  gauges.start();
  await work();
  const { 'loop p99 ms': p99 = Number.NaN } = await gauges.stop();
  return { [`loop p99 ms, ${what}`]: p99 };
}

export function eventLoop({ isFull }: Scale): BenchCase {
  const documents = isFull ? 500_000 : 50_000;
  return {
    name: 'event loop',
    about: `how long a node with ${documents} documents holds up its event loop while it makes a backup, builds an index, and forgets as many deletions`,
    subjects: { ours: eventLoopSubject(documents) },
    goals: ['backing up', 'indexing', 'purging'].map((what) => ({ figure: `loop p99 ms, ${what}`, atMost: 50 })),
  };
}
