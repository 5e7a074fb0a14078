import type { Durability } from '../baselines/index.ts';
import type { BaselineName, BenchCase, Figures, Goal, Subject } from '../bench-case.ts';
import { ageMs } from '../documents.ts';
import { articles } from '../ours.ts';
import { Sender } from '../process/sender.ts';
import { OurReceivingNode, RawReceivingNode } from '../receiving-node.ts';
import { quantile } from '../statistics.ts';
import { inOwnFolder } from '../subject-folder.ts';

export const LIVE_DOCUMENTS = 1000;
export const LIVE_COUNT = 300;
export const LIVE_PAUSE_MS = 20;
const LIVE = { kind: 'live', count: LIVE_COUNT, pauseMs: LIVE_PAUSE_MS } as const;

function rawLatency(subject: BaselineName, durability: Durability): Subject {
  return async (folder) => {
    const sender = await openSender(subject, folder, durability);
    const receiver = new RawReceivingNode(subject, receiving(folder, durability, sender));
    receiver.connect();
    await receiver.holds(sender.held);
    return {
      async run() {
        const ages: number[] = [];
        const stop = receiver.onDocument((text) => ages.push(ageMs((JSON.parse(text) as { at: string }).at)));
        await sender.tell(LIVE);
        await receiver.holds(sender.held);
        stop();
        return latencyFigures(ages);
      },
      async close() {
        await receiver.close();
        await sender.close();
      },
    };
  };
}

function ourLatency(durability: Durability): Subject {
  return async (folder) => {
    const sender = await openSender('ours', folder, durability);
    const receiver = await OurReceivingNode.open(receiving(folder, durability, sender));
    receiver.connect();
    await receiver.holds(sender.held);
    return {
      async run() {
        const ages: number[] = [];
        const changes = articles(receiver.node).watch();
        const told = sender.tell(LIVE);
        for await (const change of changes) {
          if (change.kind === 'put') ages.push(ageMs(change.value.at));
          if (ages.length === LIVE_COUNT) break;
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

function openSender(subject: 'ours' | BaselineName, folder: string, durability: Durability): Promise<Sender> {
  return Sender.open({ subject, folder: inOwnFolder(folder, 'sender'), documents: LIVE_DOCUMENTS, durability });
}

function receiving(folder: string, durability: Durability, { port }: Sender) {
  return { folder: inOwnFolder(folder, 'receiver'), name: 'receiver', durability, port };
}

export function latencyFigures(ages: readonly number[]): Figures {
  const sorted = [...ages].sort((a, b) => a - b);
  return { 'p50 ms': quantile(sorted, 0.5), 'p99 ms': quantile(sorted, 0.99) };
}

function latencyCase(durability: Durability, goals: readonly Goal[]): BenchCase {
  return {
    name: `live latency, ${durability}`,
    about: `from the call of a write on one node to its event on another, stored at both (${durability}); ${LIVE_COUNT} writes, each ${LIVE_PAUSE_MS} ms after the one before was stored`,
    subjects: {
      ours: ourLatency(durability),
      row: rawLatency('row', durability),
      chained: rawLatency('chained', durability),
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
