/** Opens a node with everything that `openDatabase` gives a program, and also its engine, for steps that need it directly. */
import { setTimeout as pause } from 'node:timers/promises';
import { silentLogger } from '../../src/core/logging/index.ts';
import { LocalDatabase } from '../../src/database/database.ts';
import { loadConfig } from '../../src/node/config/index.ts';
import type { RunningNode } from '../../src/node/node-api.ts';
import { openNode } from '../../src/node/open-node.ts';

export interface OpenedNode {
  readonly node: RunningNode;
  readonly db: LocalDatabase;
}

export interface OpenOptions {
  /** The data directory. */
  readonly folder: string;
  readonly nodeId: string;
  readonly durability?: 'full' | 'normal';
  /** `host:port` to dial. `null`: listens, but dials nobody. Absent: no network. */
  readonly peer?: string | null;
}

const POLL_MS = 5;

export const COLLECTION = 'ledger';

export async function openTortureNode({ folder, nodeId, durability = 'full', peer }: OpenOptions): Promise<OpenedNode> {
  const config = await loadConfig({
    workingDirectory: folder,
    environment: {},
    dataDirectory: folder,
    options: {
      nodeId,
      network: {
        localhostOnly: true,
        tcpPort: 0,
        enableDiscovery: false,
        knownPeers: typeof peer === 'string' ? [{ address: peer }] : [],
      },
      persistence: { durability, enableAutoBackup: false },
    },
  });
  const isNetworked = peer !== undefined;
  const node = await openNode({ config, clusterTokens: [], logger: silentLogger, network: isNetworked });
  if (!(node.database instanceof LocalDatabase)) throw new Error('a node runs on a local database');
  return { node, db: node.database };
}

/** Polls until `isSo` holds. Rejects after `msMax`. Default: a minute. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, msMax = 60_000): Promise<void> {
  const end = performance.now() + msMax;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${msMax} ms`);
    await pause(POLL_MS);
  }
}

/** Reads what every key holds, through the public interface. */
export async function readAll(db: LocalDatabase): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const [key, value] of db.collection(COLLECTION).entries()) found.set(key, value.n as number);
  return found;
}
