/**
 * A program with an offline queue, for tests. `queue-user.ts FOLDER FIRST COUNT` queues COUNT operations, numbered from
 * FIRST, and performs them at the same time. Prints `q NUMBER` for each that is durable in the queue, `d NUMBER` for each
 * that was done, and `end` when none is left.
 */
import { writeSync } from 'node:fs';
import { openDatabase } from '../../src/index.ts';

const KEYS = 50;
const BATCH = 50;
const [folder, first, count] = process.argv.slice(2) as [string, string, string];
/** Waits for a slow reader: what `process.stdout` keeps for later would be lost with a kill, although it was done. */
const say = (line: string): unknown => writeSync(1, `${line}\n`);

const db = await openDatabase({ dataDirectory: folder, network: false, sync: { maxQueueSize: 1_000_000 } });
let queued = 0;
const flushing = (async () => {
  let isLast = false;
  while (!isLast) {
    isLast = db.offlineQueue.count === 0 && queued === Number(count);
    await db.offlineQueue.flush(async (op) => {
      const { n } = op.data as { n: number };
      // Now and then the other system is down for a moment.
      if (op.attempts === 0 && n % 97 === 0) throw new Error('not now');
      say(`d ${n}`);
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
})();
while (queued < Number(count)) {
  const batch = Array.from({ length: Math.min(BATCH, Number(count) - queued) }, (_, i) => Number(first) + queued + i);
  queued += batch.length;
  await Promise.all(
    batch.map(async (n) => {
      await db.offlineQueue.enqueue({ type: 'put', collection: 'c', key: `k${n % KEYS}`, data: { n } });
      say(`q ${n}`);
    }),
  );
}
await flushing;
say('end');
await db.close();
