import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../src/core/logging/index.ts';
import type { JsonObject } from '../src/core/query/index.ts';
import type { Collection } from '../src/database/index.ts';
import { loadConfig } from '../src/node/config/index.ts';
import type { RunningNode } from '../src/node/node-api.ts';
import { openNode } from '../src/node/open-node.ts';
import type { Durability } from './baselines/index.ts';
import { type BenchDocument, benchDocuments, COLLECTION } from './documents.ts';
import { chunks } from './stopwatch.ts';

const BATCH = 1000;
const TOKEN = 'the secret of a cluster that lives for one benchmark';

export interface OursOptions {
  readonly nodeId: string;
  readonly durability: Durability;
  /** Port of the node to sync with; null: nobody yet, absent: no network at all. */
  readonly peerPort?: number | null;
}

/** A node of ours in this folder, with everything at its default but the ports. */
export async function openOurs(folder: string, { nodeId, durability, peerPort }: OursOptions): Promise<RunningNode> {
  const knownPeers = peerPort ? [{ address: `127.0.0.1:${peerPort}` }] : [];
  const config = await loadConfig({
    workingDirectory: folder,
    environment: {},
    options: {
      nodeId,
      persistence: { databasePath: `${nodeId}.db`, durability },
      network: { tcpPort: 0, localhostOnly: true, enableDiscovery: false, knownPeers },
      http: { enabled: false },
    },
  });
  return openNode({ config, clusterToken: TOKEN, logger: silentLogger, network: peerPort !== undefined });
}

export function articles(node: RunningNode): Collection<JsonObject> {
  return node.database.collection<JsonObject>(COLLECTION);
}

export function entryOf({ key, text }: BenchDocument): readonly [key: string, value: JsonObject] {
  return [key, JSON.parse(text) as JsonObject];
}

export async function fill(node: RunningNode, count: number): Promise<void> {
  for (const batch of chunks(benchDocuments(count), BATCH)) await articles(node).putMany(batch.map(entryOf));
}

/** Resolves when the node holds this many documents, durably. */
export async function holds(node: RunningNode, count: number): Promise<void> {
  const held = () => node.database.collections().find(({ name }) => name === COLLECTION)?.documents ?? 0;
  while (held() < count) await sleep(1);
  await node.database.flush();
}
