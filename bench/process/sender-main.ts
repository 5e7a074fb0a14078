import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../src/core/query/index.ts';
import type { RunningNode } from '../../src/node/node-api.ts';
import { openRawStore, serveRaw } from '../baselines/index.ts';
import { BATCH, type BenchDocument, benchDocument, documentBatches, liveText, randomIndexes } from '../documents.ts';
import { articles, entryOf, fill, heldText, openOurs } from '../ours.ts';
import { answer } from './answer.ts';
import type { SenderCommand, SenderState } from './sender.ts';

type OpenCommand = SenderCommand & { readonly kind: 'open' };

/** The sending end of the sync under measurement, ours or raw. */
interface SendingNode {
  readonly port: number;
  held(): string;
  update(documents: readonly BenchDocument[]): Promise<void>;
  live(key: string, text: string): Promise<void>;
  close(): Promise<void>;
}

let node: SendingNode | undefined;
let ours: RunningNode | undefined;
let documents = 0;

answer(async (command: SenderCommand): Promise<SenderState> => {
  await perform(command);
  const { user, system } = process.cpuUsage();
  return { port: node?.port ?? 0, held: node?.held() ?? '', ...linksOf(ours), cpuMs: (user + system) / 1000 };
});

async function perform(command: SenderCommand): Promise<void> {
  switch (command.kind) {
    case 'open':
      documents = command.documents;
      node = await (command.subject === 'ours' ? openOurSendingNode(command) : openRawSendingNode(command));
      return;
    case 'update':
      return node?.update(revised(command.count, command.round));
    case 'live':
      for (let i = 0; i < command.count; i++) {
        await node?.live(`live-${i}`, liveText());
        await sleep(command.pauseMs);
      }
      return;
    case 'look':
      return;
    case 'close':
      await node?.close();
      node = undefined;
  }
}

async function openOurSendingNode({ folder, durability, peerPort }: OpenCommand): Promise<SendingNode> {
  const opened = await openOurs(folder, { nodeId: 'sender', durability, peerPort: peerPort ?? null });
  ours = opened;
  await fill(opened, documents);
  return {
    port: opened.address().tcp?.port ?? 0,
    held: () => heldText(opened),
    update: (revisions) => articles(opened).putMany(revisions.map(entryOf)),
    live: (key, text) => articles(opened).put(key, JSON.parse(text) as JsonObject),
    close: () => opened.close(),
  };
}

async function openRawSendingNode({ subject, folder, durability }: OpenCommand): Promise<SendingNode> {
  const store = openRawStore(subject as 'row' | 'chained', join(folder, 'sender.db'), durability);
  if (store.position() === 0) for (const batch of documentBatches(documents, BATCH)) store.write(batch);
  const sender = await serveRaw(store);
  const write = async (changed: readonly BenchDocument[]) => {
    store.write(changed);
    sender.push();
  };
  return {
    port: sender.port,
    held: () => String(store.position()),
    update: write,
    live: (key, text) => write([{ key, text }]),
    async close() {
      await sender.close();
      store.close();
    },
  };
}

function linksOf(ran: RunningNode | undefined): Pick<SenderState, 'connectedPeers' | 'bytes'> {
  const peers = ran?.peers().filter(({ state }) => state === 'connected') ?? [];
  return {
    connectedPeers: peers.length,
    bytes: peers.reduce((bytes, { bytesSent, bytesReceived }) => bytes + bytesSent + bytesReceived, 0),
  };
}

/** New revisions of `count` distinct documents. */
function revised(count: number, round: number): BenchDocument[] {
  const indexes = [...new Set(randomIndexes(count * 2, documents, round))].slice(0, count);
  return indexes.map((index) => benchDocument(index, round + 1));
}
