import { join } from 'node:path';
import { type NodeDatabase, type OpenDatabaseOptions, openDatabase } from '../../src/index.ts';

/** Options of a node in this process that dials the given peers and that nobody else finds. Its files are in `folder/nodeId`. */
export function loopbackOptions(
  folder: string,
  nodeId: string,
  peers: readonly NodeDatabase[] = [],
  { network, persistence }: Pick<OpenDatabaseOptions, 'network' | 'persistence'> = {},
) {
  return {
    dataDirectory: join(folder, nodeId),
    nodeId,
    network: {
      localhostOnly: true,
      enableDiscovery: false,
      tcpPort: 0,
      authToken: 'a token for the tests of integration',
      knownPeers: peers.map((db) => ({ address: `127.0.0.1:${db.address().tcp!.port}` })),
      ...network,
    },
    persistence: { databasePath: join(folder, nodeId, 'entgldb.db'), ...persistence },
  } satisfies OpenDatabaseOptions;
}

export function openOnLoopback(...node: Parameters<typeof loopbackOptions>): Promise<NodeDatabase> {
  return openDatabase(loopbackOptions(...node));
}
