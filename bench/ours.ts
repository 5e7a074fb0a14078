import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../src/core/logging/index.ts';
import type { JsonObject } from '../src/core/query/index.ts';
import type { Collection } from '../src/database/index.ts';
import { type LoadedConfig, loadConfig } from '../src/node/config/index.ts';
import type { RunningNode } from '../src/node/node-api.ts';
import { openNode } from '../src/node/open-node.ts';
import type { Durability } from './baselines/index.ts';
import { BATCH, type BenchDocument, COLLECTION, documentBatches } from './documents.ts';

// Loaded ahead: a node loads it when it first needs it, but the cases measure what comes after. `package` measures loading.
await import('../src/node/network/index.ts');

export const TOKENS = ['the secret of a cluster that lives for one benchmark'];

export interface OursOptions {
  readonly nodeId: string;
  readonly durability: Durability;
  /** Port of the node to sync with. Null: no peer yet. Absent: no network at all. */
  readonly peerPort?: number | null;
}

/** Opens a node of ours in this folder, on loopback, with most settings at their defaults. */
export async function openOurs(folder: string, options: OursOptions): Promise<RunningNode> {
  const config = await ourConfig(folder, options);
  return openNode({ config, clusterTokens: TOKENS, logger: silentLogger, network: options.peerPort !== undefined });
}

export function ourConfig(folder: string, { nodeId, durability, peerPort }: OursOptions): Promise<LoadedConfig> {
  const knownPeers = peerPort ? [{ address: `127.0.0.1:${peerPort}` }] : [];
  return loadConfig({
    workingDirectory: folder,
    environment: {},
    options: {
      nodeId,
      persistence: { databasePath: `${nodeId}.db`, durability },
      network: { tcpPort: 0, localhostOnly: true, enableDiscovery: false, knownPeers },
      http: { enabled: false },
    },
  });
}

export function articles(node: RunningNode): Collection<JsonObject> {
  return node.database.collection<JsonObject>(COLLECTION);
}

export function entryOf({ key, text }: BenchDocument): readonly [key: string, value: JsonObject] {
  return [key, JSON.parse(text) as JsonObject];
}

/** Writes the first `count` documents, unless the collection has some. */
export async function fill(node: RunningNode, count: number): Promise<void> {
  if ((await articles(node).count()) > 0) return;
  for (const batch of documentBatches(count, BATCH)) await articles(node).putMany(batch.map(entryOf));
}

/** The fingerprint of what the node holds: equal on nodes that hold the same. */
export function heldText(node: RunningNode): string {
  return node.database.collections().find(({ name }) => name === COLLECTION)?.fingerprint ?? '';
}

/** Resolves when the node durably holds what has this fingerprint. */
export async function holds(node: RunningNode, held: string): Promise<void> {
  while (heldText(node) !== held) await sleep(1);
  await node.database.flush();
}
