import { setTimeout as sleep } from 'node:timers/promises';
import { BATCH, benchDocument, documentBatches, liveText, randomIndexes } from '../documents.ts';
import { answer } from '../process/answer.ts';
import { openPeer } from './open-peer.ts';
import type { PeerDatabase, PeerServer } from './peer-database.ts';
import type { PeerCommand, PeerState } from './peer-sender.ts';

let database: PeerDatabase | undefined;
let server: PeerServer | undefined;
let documents = 0;

answer(async (command: PeerCommand): Promise<PeerState> => {
  await perform(command);
  return { port: server?.port ?? 0, bytes: server?.bytes() ?? 0 };
});

async function perform(command: PeerCommand): Promise<void> {
  switch (command.kind) {
    case 'open':
      ({ documents } = command);
      database = await openPeer(command.peer, command.folder);
      for (const batch of documentBatches(documents, BATCH)) await database.write(batch);
      server = await database.serve();
      return;
    case 'update': {
      const indexes = [...new Set(randomIndexes(command.count * 2, documents, command.round))].slice(0, command.count);
      return database?.write(indexes.map((index) => benchDocument(index, command.round + 1)));
    }
    case 'live':
      for (let i = 0; i < command.count; i++) {
        await database?.write([{ key: `live-${i}`, text: liveText() }]);
        await sleep(command.pauseMs);
      }
      return;
    case 'look':
      return;
  }
}
