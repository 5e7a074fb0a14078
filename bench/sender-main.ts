// The sending node of the sync cases: a process of its own, so that both ends have a core each.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openChainedStore, openRowStore, serveRaw } from './baselines/index.ts';
import { benchDocument, benchDocuments, randomIndexes } from './documents.ts';
import { liveText, type SenderCommand, type SenderDone, type SendingNode } from './sender.ts';
import { chunks } from './stopwatch.ts';

const BATCH = 1000;

let node: SendingNode | null = null;

process.on('message', async (command: SenderCommand) => {
  await perform(command);
  if (command.kind === 'close') return process.disconnect();
  const done: SenderDone = { port: node?.port ?? 0 };
  process.send?.(done);
});

async function perform(command: SenderCommand): Promise<void> {
  switch (command.kind) {
    case 'open':
      node = await openSendingNode(command);
      return;
    case 'update':
      return node?.update(command.count, command.round);
    case 'live':
      for (let i = 0; i < command.count; i++) {
        await node?.live(i, liveText());
        await sleep(command.pauseMs);
      }
      return;
    case 'close':
      await node?.close();
      node = null;
  }
}

async function openSendingNode(command: SenderCommand & { kind: 'open' }): Promise<SendingNode> {
  const open = command.subject === 'chained' ? openChainedStore : openRowStore;
  const store = open(join(command.folder, 'sender.db'), command.durability);
  for (const batch of chunks(benchDocuments(command.documents), BATCH)) store.write(batch);
  const sender = await serveRaw(store);
  return {
    port: sender.port,
    async update(count, round) {
      store.write(distinctIndexes(count, command.documents, round).map((index) => benchDocument(index, round + 1)));
      sender.push();
    },
    async live(index, text) {
      store.write([{ key: `live-${index}`, text }]);
      sender.push();
    },
    async close() {
      await sender.close();
      store.close();
    },
  };
}

function distinctIndexes(count: number, below: number, round: number): number[] {
  return [...new Set(randomIndexes(count * 2, below, round))].slice(0, count);
}
