import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, Subject } from '../bench-case.ts';
import { holds, openOurs } from '../ours.ts';
import { RawReceivingNode } from '../raw-receiver.ts';
import { SenderProcess } from '../sender-process.ts';

const DOCUMENTS = 50_000;

function rawFirstSync(subject: 'chained' | 'row'): Subject {
  return async (folder) => {
    const sender = await SenderProcess.open(subject, folder, DOCUMENTS, 'full');
    return {
      async run(round) {
        const receiver = new RawReceivingNode(subject, folder, `receiver-${round}`, 'full');
        const start = performance.now();
        receiver.connect(sender.port);
        await receiver.received(DOCUMENTS);
        const ms = performance.now() - start;
        const bytes = receiver.bytes();
        receiver.close();
        return { ms, bytes };
      },
      close: () => sender.close(),
    };
  };
}

const ourFirstSync: Subject = async (folder) => {
  const sender = await SenderProcess.open('ours', folder, DOCUMENTS, 'full');
  return {
    async run(round) {
      const place = join(folder, `receiver-${round}`);
      mkdirSync(place);
      const receiver = await openOurs(place, { nodeId: 'receiver', durability: 'full', peerPort: sender.port });
      const start = performance.now();
      await holds(receiver, DOCUMENTS);
      const ms = performance.now() - start;
      const bytes = receiver.peers()[0]?.bytesReceived ?? Number.NaN;
      await receiver.close();
      return { ms, bytes };
    },
    close: () => sender.close(),
  };
};

export const firstSync: BenchCase = {
  name: 'first sync',
  about: `${DOCUMENTS} documents into an empty node, durable there; the baselines over plain TCP, one process each; from the moment when the receiver is open`,
  subjects: { ours: ourFirstSync, chained: rawFirstSync('chained'), row: rawFirstSync('row') },
  goals: [
    { figure: 'ms', of: 'chained', atMost: 1.2 },
    // Half a byte per byte of JSON: a document has 256, and 421 in the lines of `chained`.
    { figure: 'bytes', of: 'chained', atMost: 0.3 },
  ],
};
