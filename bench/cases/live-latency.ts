import type { Durability } from '../baselines/index.ts';
import type { BenchCase, Figures, Goal, Subject } from '../bench-case.ts';
import { RawReceivingNode } from '../raw-receiver.ts';
import { ageMs } from '../sender.ts';
import { SenderProcess } from '../sender-process.ts';
import { quantile } from '../stopwatch.ts';

const COUNT = 300;
const PAUSE_MS = 5;

function rawLatency(subject: 'chained' | 'row', durability: Durability): Subject {
  return async (folder) => {
    const sender = await SenderProcess.open(subject, folder, 1000, durability);
    const receiver = new RawReceivingNode(subject, folder, 'receiver', durability);
    receiver.connect(sender.port);
    await receiver.received(1000);
    return {
      async run(round) {
        const ages: number[] = [];
        const stop = receiver.onDocument((text) => ages.push(ageMs(text)));
        await sender.tell({ kind: 'live', count: COUNT, pauseMs: PAUSE_MS, round });
        await receiver.received(COUNT);
        stop();
        return latencyFigures(ages);
      },
      async close() {
        receiver.close();
        await sender.close();
      },
    };
  };
}

function latencyFigures(ages: readonly number[]): Figures {
  const sorted = [...ages].sort((a, b) => a - b);
  return { 'p50 ms': quantile(sorted, 0.5), 'p99 ms': quantile(sorted, 0.99) };
}

function latencyCase(durability: Durability, goals: readonly Goal[]): BenchCase {
  return {
    name: `live latency, ${durability}`,
    about: `from the call of a write on one node to its event on another, stored at both (${durability}), ${COUNT} writes ${PAUSE_MS} ms apart`,
    subjects: { chained: rawLatency('chained', durability), row: rawLatency('row', durability) },
    goals,
  };
}

export const liveLatencyNormal: BenchCase = latencyCase('normal', [
  { figure: 'p50 ms', of: 'chained', atMost: 1.2 },
  { figure: 'p99 ms', of: 'chained', atMost: 1.4 },
]);

export const liveLatencyFull: BenchCase = latencyCase('full', [
  { figure: 'p50 ms', of: 'chained', atMost: 1.3 },
  { figure: 'p99 ms', of: 'chained', atMost: 1.3 },
]);
