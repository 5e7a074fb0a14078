import type { Clock, ClockMonitor } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import type { CollectionName, Random } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { LocalDatabase } from '../../database/index.ts';
import type { Address } from '../../net/index.ts';
import type { SessionEvent, SessionRunner } from '../../sync/index.ts';
import type { FollowedPeer } from './followed-peer.ts';

/** Settings that may change while the network runs. */
export interface NetworkSettings {
  /** Dialled for ever. */
  readonly knownPeers: readonly Address[];
  readonly retryAttempts: number;
  readonly retryDelayMs: number;
  readonly connectionTimeoutMs: number;
  readonly syncIntervalMs: number;
  /** Most versions in one message. */
  readonly batchVersionsMax: number;
}

export interface NetworkOptions {
  readonly nodeId: string;
  /** The device key lies beside this file. */
  readonly databasePath: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly localhostOnly: boolean;
  readonly enableDiscovery: boolean;
  /** The current token, then the previous one. Empty: the node talks only to nodes without a token on this machine. */
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
  /** The disk was copied and carries the key of another device, so take a new one. */
  readonly isCopied: boolean;
  readonly onEvent: (event: SessionEvent, peer: FollowedPeer, session: SessionRunner) => void;
  /** A link ended; `problem` says why, or is null for an ordinary end. `isOver`: no other link has taken its place. */
  readonly onLeft: (deviceKey: string, problem: string | null, isOver: boolean) => void;
  /** Something failed while working for a peer, for example because stored data is damaged (R11). */
  readonly onFailure: (error: unknown, peer: string) => void;
  /** Something that the user should know. */
  readonly onNotice: (notice: string) => void;
}
