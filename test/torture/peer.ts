/** A healthy peer for the fault suites: a second node, in this process, with documents of its own. */
import { mkdir } from 'node:fs/promises';
import type { LocalDatabase } from '../../src/database/database.ts';
import { openTortureNode } from './open.ts';

const DOCUMENTS = 20;

export interface Peer {
  /** `host:port`. */
  readonly address: string;
  readonly db: LocalDatabase;
}

export async function withPeer<T>(folder: string, run: (address: string, peer: Peer) => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  const { node, db } = await openTortureNode({ folder, nodeId: 'peer', peer: null });
  try {
    await db.collection('peer').putMany(Array.from({ length: DOCUMENTS }, (_, i) => [`p${i}`, { n: i }] as const));
    const { host, port } = node.address().tcp!;
    const address = `${host}:${port}`;
    return await run(address, { address, db });
  } finally {
    await node.close();
  }
}

/** What readers see, as text. Not a fingerprint: those count tombstones too, which each node purges in its own time. */
export async function contentsOf(db: LocalDatabase): Promise<string> {
  const lines: string[] = [];
  for (const { name } of db.collections())
    for await (const [key, value] of db.collection(name).entries()) lines.push(`${name} ${key} ${value.n}`);
  return lines.sort().join('\n');
}
