import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Durability } from '../baselines/index.ts';
import type { BenchCase, Figures, Goal, Subject } from '../bench-case.ts';
import { articles, holds, openOurs } from '../ours.ts';
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
        const stop = receiver.onDocument((text) => ages.push(ageMs((JSON.parse(text) as { at: string }).at)));
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

function ourLatency(durability: Durability): Subject {
  return async (folder) => {
    const sender = await SenderProcess.open('ours', folder, 1000, durability);
    const place = join(folder, 'receiver');
    mkdirSync(place);
    const receiver = await openOurs(place, { nodeId: 'receiver', durability, peerPort: sender.port });
    await holds(receiver, 1000);
    return {
      async run(round) {
        const ages: number[] = [];
        const changes = articles(receiver).watch();
        const told = sender.tell({ kind: 'live', count: COUNT, pauseMs: PAUSE_MS, round });
        for await (const change of changes) {
          if (change.kind === 'put') ages.push(ageMs(change.value.at));
          if (ages.length === COUNT) break;
        }
        await told;
        return latencyFigures(ages);
      },
      async close() {
        await receiver.close();
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
    subjects: {
      ours: ourLatency(durability),
      chained: rawLatency('chained', durability),
      row: rawLatency('row', durability),
    },
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
