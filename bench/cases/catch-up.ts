import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, Subject } from '../bench-case.ts';
import { articles, holds, openOurs } from '../ours.ts';
import { RawReceivingNode } from '../raw-receiver.ts';
import { SenderProcess } from '../sender-process.ts';

const DOCUMENTS = 50_000;
const CHANGED = 1000;

function rawCatchUp(subject: 'chained' | 'row'): Subject {
  return async (folder) => {
    const sender = await SenderProcess.open(subject, folder, DOCUMENTS, 'full');
    const receiver = new RawReceivingNode(subject, folder, 'receiver', 'full');
    receiver.connect(sender.port);
    await receiver.received(DOCUMENTS);
    return {
      async run(round) {
        receiver.disconnect();
        await sender.tell({ kind: 'update', count: CHANGED, round });
        const start = performance.now();
        receiver.connect(sender.port);
        await receiver.received(CHANGED);
        return { ms: performance.now() - start, bytes: receiver.bytes() };
      },
      async close() {
        receiver.close();
        await sender.close();
      },
    };
  };
}

const ourCatchUp: Subject = async (folder) => {
  const sender = await SenderProcess.open('ours', folder, DOCUMENTS, 'full');
  const place = join(folder, 'receiver');
  mkdirSync(place);
  const open = () => openOurs(place, { nodeId: 'receiver', durability: 'full', peerPort: sender.port });
  let receiver = await open();
  await holds(receiver, DOCUMENTS);
  return {
    async run(round) {
      await receiver.close();
      await sender.tell({ kind: 'update', count: CHANGED, round });
      receiver = await open();
      const start = performance.now();
      let left = CHANGED;
      for await (const _ of articles(receiver).watch()) if (--left === 0) break;
      return { ms: performance.now() - start, bytes: receiver.peers()[0]?.bytesReceived ?? Number.NaN };
    },
    async close() {
      await receiver.close();
      await sender.close();
    },
  };
};

export const catchUp: BenchCase = {
  name: 'catch-up',
  about: `${CHANGED} of ${DOCUMENTS} documents changed while the receiver was away, until they are durable there`,
  subjects: { ours: ourCatchUp, chained: rawCatchUp('chained'), row: rawCatchUp('row') },
  goals: [
    { figure: 'ms', of: 'chained', atMost: 1 },
    { figure: 'bytes', of: 'chained', atMost: 0.4 },
  ],
};
