// The sending node of the sync cases: a process of its own, so that both ends have a core each.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../src/core/query/index.ts';
import { openChainedStore, openRowStore, serveRaw } from './baselines/index.ts';
import { type BenchDocument, benchDocument, benchDocuments, randomIndexes } from './documents.ts';
import { articles, entryOf, fill, openOurs } from './ours.ts';
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

type OpenCommand = SenderCommand & { kind: 'open' };

async function openOurSendingNode({ folder, documents, durability }: OpenCommand): Promise<SendingNode> {
  const ours = await openOurs(folder, { nodeId: 'sender', durability, peerPort: null });
  await fill(ours, documents);
  return {
    port: ours.address().tcp?.port ?? 0,
    update: (count, round) => articles(ours).putMany(revised(count, documents, round).map(entryOf)),
    live: (index, text) => articles(ours).put(`live-${index}`, JSON.parse(text) as JsonObject),
    close: () => ours.close(),
  };
}

async function openSendingNode(command: OpenCommand): Promise<SendingNode> {
  if (command.subject === 'ours') return openOurSendingNode(command);
  const open = command.subject === 'chained' ? openChainedStore : openRowStore;
  const store = open(join(command.folder, 'sender.db'), command.durability);
  for (const batch of chunks(benchDocuments(command.documents), BATCH)) store.write(batch);
  const sender = await serveRaw(store);
  return {
    port: sender.port,
    async update(count, round) {
      store.write(revised(count, command.documents, round));
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

/** New revisions of distinct documents. */
function revised(count: number, below: number, round: number): BenchDocument[] {
  const indexes = [...new Set(randomIndexes(count * 2, below, round))].slice(0, count);
  return indexes.map((index) => benchDocument(index, round + 1));
}
