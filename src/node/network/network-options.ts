import type { Clock, ClockMonitor } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import type { CollectionName, Random } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { LocalDatabase } from '../../database/index.ts';
import type { Address } from '../../net/index.ts';
import type { SessionEvent, SessionRunner } from '../../sync/index.ts';
import type { FollowedPeer } from './followed-peer.ts';

/** What may change while the network runs. */
export interface NetworkSettings {
  /** Dialled for ever. */
  readonly knownPeers: readonly Address[];
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  readonly connectionTimeoutMs: number;
  readonly syncIntervalMs: number;
  /** Versions in one message. */
  readonly batchVersionsMax: number;
}

export interface NetworkOptions {
  readonly nodeId: string;
  /** Its device key lies beside it. */
  readonly databasePath: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly localhostOnly: boolean;
  readonly enableDiscovery: boolean;
  /** The one that holds, then the one before it; empty: none, then the node speaks to nodes without a token on this machine only. */
  readonly clusterTokens: readonly string[];
  readonly clockDriftMsMax: number;
  /** Null: all. */
  readonly collections: readonly CollectionName[] | null;
  /** `name@revision` by collection; `*` names the default. */
  readonly resolvers: ReadonlyMap<string, string>;
  readonly limits: Limits;
  readonly settings: NetworkSettings;
}

export interface NetworkDeps {
  readonly database: LocalDatabase;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly clocks: ClockMonitor;
  /** The copied disk carries the device key of another device: take a new one. */
  readonly isCopied: boolean;
  readonly onEvent: (event: SessionEvent, peer: FollowedPeer, session: SessionRunner) => void;
  /** A link ended; `problem` is why, where it was no ordinary end. */
  readonly onLeft: (deviceKey: string, problem: string | null) => void;
  /** Something went wrong while working for a peer; damage of stored data among it (R11). */
  readonly onFailure: (error: unknown, peer: string) => void;
  /** Something its user should know. */
  readonly onNotice: (notice: string) => void;
}
