import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, Scale, Subject } from '../bench-case.ts';
import { Sender } from '../process/sender.ts';
import { OurReceivingNode } from '../receiving-node.ts';
import { inOwnFolder } from '../subject-folder.ts';
import { roundTripsUntilEqual } from '../virtual/round-trips.ts';

/** Two nodes that hold the same connect again, and find out that nothing is missing. */
export function equalMeetSubject(documents: number): Subject {
  return async (folder) => {
    const sender = await Sender.open({
      subject: 'ours',
      folder: inOwnFolder(folder, 'sender'),
      documents,
      durability: 'normal',
    });
    const receiver = await OurReceivingNode.open({
      folder: inOwnFolder(folder, 'receiver'),
      name: 'receiver',
      durability: 'normal',
      port: sender.port,
    });
    receiver.connect();
    await receiver.holds(sender.held);
    await agreed(receiver, 0);
    const roundTrips = await roundTripsUntilEqual();
    return {
      async run() {
        await receiver.disconnect();
        const wallMs = Date.now();
        const start = performance.now();
        receiver.connect();
        await agreed(receiver, wallMs);
        const ms = performance.now() - start;
        return { ms, bytes: await receiver.bytes(), 'round trips': roundTrips };
      },
      async close() {
        await receiver.close();
        await sender.close();
      },
    };
  };
}

/** Resolves when the node and its peer have found out, at this wall-clock time or later, that nothing is missing. */
async function agreed({ node }: OurReceivingNode, wallMs: number): Promise<void> {
  while ((node.peers()[0]?.lastSyncTime ?? -1) < wallMs) await sleep(1);
}

export function equalMeet({ isFull }: Scale): BenchCase {
  const documents = isFull ? 1_000_000 : 50_000;
  return {
    name: 'equal databases meet',
    about: `two nodes with the same ${documents} documents connect, until they know that nothing is missing: all bytes of both, and round trips after the connection is there`,
    subjects: { ours: equalMeetSubject(documents) },
    goals: [
      { figure: 'bytes', atMost: 2048 },
      { figure: 'round trips', atMost: 1 },
    ],
  };
}
