import type { BenchCase, Subject } from '../bench-case.ts';
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

export const catchUp: BenchCase = {
  name: 'catch-up',
  about: `${CHANGED} of ${DOCUMENTS} documents changed while the receiver was away, until they are durable there`,
  subjects: { chained: rawCatchUp('chained'), row: rawCatchUp('row') },
  goals: [
    { figure: 'ms', of: 'chained', atMost: 1 },
    { figure: 'bytes', of: 'chained', atMost: 0.4 },
  ],
};
