import type { BenchCase, Subject } from '../bench-case.ts';
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

export const firstSync: BenchCase = {
  name: 'first sync',
  about: `${DOCUMENTS} documents into an empty node, durable there; the baselines over plain TCP, one process each`,
  subjects: { chained: rawFirstSync('chained'), row: rawFirstSync('row') },
  goals: [
    { figure: 'ms', of: 'chained', atMost: 1.2 },
    { figure: 'bytes', of: 'chained', atMost: 0.5 },
  ],
};
