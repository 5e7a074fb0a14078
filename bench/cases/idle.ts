import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchCase, Scale, Subject } from '../bench-case.ts';
import { Sender } from '../process/sender.ts';
import { inOwnFolder } from '../subject-folder.ts';

const PEERS = 8;
/** Pause once all are equal: then pending messages are sent, code is compiled, and the daily check of the file, 10 s after the start, is over. */
const CALM_MS = 15_000;

/** A node in a process of its own, with connected peers, while nobody writes. */
export function idleSubject(documents: number, seconds: number): Subject {
  return async (folder) => {
    const open = (name: string, of: { readonly documents: number; readonly peerPort?: number }) =>
      Sender.open({ subject: 'ours', folder: inOwnFolder(folder, name), durability: 'full', ...of });
    const node = await open('node', { documents });
    const peers: Sender[] = [];
    for (let i = 0; i < PEERS; i++) peers.push(await open(`peer-${i}`, { documents: 0, peerPort: node.port }));
    for (const peer of peers) await equal(peer, node);
    await sleep(CALM_MS);
    return {
      async run() {
        const before = await node.tell({ kind: 'look' });
        await sleep(seconds * 1000);
        const after = await node.tell({ kind: 'look' });
        if (after.connectedPeers !== PEERS) throw new Error(`${after.connectedPeers} of ${PEERS} peers are connected`);
        return {
          'KB/s': (after.bytes - before.bytes) / 1000 / seconds,
          'core %': ((after.cpuMs - before.cpuMs) / 1000 / seconds) * 100,
        };
      },
      async close() {
        for (const peer of [...peers, node]) await peer.close();
      },
    };
  };
}

async function equal(peer: Sender, node: Sender): Promise<void> {
  while ((await peer.tell({ kind: 'look' })).held !== node.held) await sleep(100);
}

export function idle({ isFull }: Scale): BenchCase {
  const documents = isFull ? 100_000 : 5_000;
  const seconds = isFull ? 60 : 10;
  return {
    name: 'idle',
    about: `a node with ${documents} documents and ${PEERS} connected peers, equal and silent, for ${seconds} s: all bytes of its connections, both ways, and its processor time`,
    subjects: { ours: idleSubject(documents, seconds) },
    runs: 3,
    goals: [
      { figure: 'KB/s', atMost: 2 },
      { figure: 'core %', atMost: 1 },
    ],
  };
}
