import type { CollectionName } from '../../core/ids/index.ts';
import type { LocalDatabase } from '../../database/index.ts';
import type { HelloMessage } from '../../net/messages/index.ts';
import { CAPABILITIES, PROTOCOL } from '../../sync/index.ts';
import type { NetworkOptions } from './network-options.ts';

/** The greeting of this node at the beginning of a session. */
export function ownHello(
  { nodeId, collections, resolvers }: NetworkOptions,
  { replica, definitions }: LocalDatabase,
  startId: string,
  wallMs: number,
): HelloMessage {
  return {
    kind: 'hello',
    protocol: PROTOCOL,
    node: nodeId,
    replica: replica.id,
    startId,
    wallMs,
    collections: collections as readonly CollectionName[] | null,
    capabilities: CAPABILITIES,
    resolvers: new Map([...resolvers, ...definitions.resolversByProgram()]),
  };
}
