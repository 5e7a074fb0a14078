import { join } from 'node:path';
import { type NodeDatabase, type OpenDatabaseOptions, openDatabase } from '../../src/index.ts';

/** For a node in this process that dials those given, and is found by nobody else. Everything of it lies in `folder/nodeId`. */
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
