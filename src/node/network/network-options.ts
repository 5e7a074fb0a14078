import type { Limits } from '../../core/config/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Address } from '../../net/index.ts';

export interface NetworkOptions {
  readonly nodeId: string;
  /** Its device key lies beside it. */
  readonly databasePath: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly localhostOnly: boolean;
  readonly enableDiscovery: boolean;
  readonly knownPeers: readonly Address[];
  /** Null: none; then the node speaks to nodes without a token on this machine only. */
  readonly clusterToken: string | null;
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  readonly syncIntervalMs: number;
  readonly clockDriftMsMax: number;
  /** Null: all. */
  readonly collections: readonly CollectionName[] | null;
  /** `name@revision` by collection; `*` names the default. */
  readonly resolvers: ReadonlyMap<string, string>;
  readonly limits: Limits;
}
