import type { Logger } from '../core/logging/index.ts';
import type { Resolver } from '../core/merge/index.ts';
import type { CollectionInfo, Database } from '../database/index.ts';
import type { HealthReport, MetricSample, PeerRefusal } from '../diagnostics/index.ts';
import type { Address } from '../net/index.ts';
import type { ManualBackupWork } from '../resilience/index.ts';
import type { LoadedConfig } from './config/index.ts';
import type { PeerStatus } from './network/index.ts';
import type { NodeServices } from './services/index.ts';

/** What the composition root takes. */
export interface OpenNodeOptions {
  readonly config: LoadedConfig;
  /** The cluster secret, then the one before it where that still counts; empty: none, then the node binds loopback only. */
  readonly clusterTokens: readonly string[];
  readonly logger: Logger;
  /** False: only the database; nothing listens, dials or announces. For commands that run beside no node. */
  readonly network: boolean;
  /** True: opened for one command. It makes no automatic backups, and what it finds out about the files is kept for the next node to say, too. Default false. */
  readonly isCommand?: boolean;
  /** Resolvers of a program's own, by collection. Default: none. */
  readonly resolvers?: Readonly<Record<string, Resolver>>;
}

export type OpenNode = (options: OpenNodeOptions) => Promise<RunningNode>;

/** A node of this process, as command line and HTTP see it. */
export interface RunningNode {
  readonly database: Database;
  address(): NodeAddress;
  status(): NodeStatus;
  peers(): PeerStatus[];
  /** Runs the health checks now. */
  health(): Promise<HealthReport>;
  /** Values of metrics that neither `status`, `peers` nor `health` give; absent: there are none. */
  metrics?(): Promise<readonly MetricSample[]>;
  /** The production services, for programs that embed the node. */
  readonly services: NodeServices;
  /** What only some nodes can do; absent: not offered, and the command says so. */
  readonly maintenance?: Maintenance;
  /**
   * Takes the node off the network, or back, until it stops: it then neither listens, dials nor announces, and its
   * documents stay readable and writable. Rejects with PORT_IN_USE when its port was taken meanwhile; CONFIG_ERROR USAGE
   * when it was started without a network; DATABASE_CLOSED once it stops.
   */
  setNetworkPaused(isPaused: boolean): Promise<void>;
  /**
   * Takes over what may change in a running node (`LIVE_KEYS`), the cluster's tokens among it; everything else is ignored. Rejects with
   * CONFIG_ERROR TOKEN_WEAK, and then nothing has changed.
   */
  reconfigure(config: LoadedConfig, clusterTokens: readonly string[]): Promise<void>;
  /** Stops gracefully: finishes accepted writes, says goodbye to peers, releases everything. Idempotent. */
  close(): Promise<void>;
}

/** Null: that part is not running. */
export interface NodeAddress {
  readonly tcp: Address | null;
  readonly udp: Address | null;
  readonly http: Address | null;
}

export interface NodeStatus {
  readonly nodeId: string;
  readonly replica: string;
  /** Version of the package. */
  readonly version: string;
  readonly pid: number;
  /** Wall clock, ms. */
  readonly startedAt: number;
  readonly databasePath: string;
  readonly address: NodeAddress;
  /** True while at least one peer is connected. */
  readonly isOnline: boolean;
  readonly connectedPeers: number;
  /** Of the cluster token, to compare with that of other nodes, as `doctor` prints it; null: none, or no network. */
  readonly tokenFingerprint: string | null;
  /** Taken off the network by `setNetworkPaused`. */
  readonly isNetworkPaused: boolean;
  /** Wall clock of the last round with any peer, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  /** Operations waiting in the offline queue. */
  readonly queuedOperations: number;
  readonly collections: readonly CollectionInfo[];
  /** Who is kept out of the sync, here or there, until somebody changes something: another token, another release. */
  readonly refusals: readonly PeerRefusal[];
  /** What its user should know: no token, another clock, a copied database, who is kept out. */
  readonly notices: readonly string[];
}

export interface Maintenance {
  /**
   * Resolves with the path of the finished, verified backup. Null: a name with date and time in BackupPath. OPTION_INVALID
   * when there is no BackupPath, unless any place is allowed: for programs, not for requests from outside.
   */
  backup(path: string | null, options?: ManualBackupWork): Promise<string>;
  /** Throws DatabaseCorruptionError that names what is damaged. */
  checkIntegrity(): Promise<void>;
  /** Gives unused space of the file back; resolves with the bytes it became smaller by. */
  compact(): Promise<number>;
}
