import type { Logger } from '../core/logging/index.ts';
import type { Resolver } from '../core/merge/index.ts';
import type { CollectionInfo, Database } from '../database/index.ts';
import type { HealthReport, MetricSample, PeerRefusal } from '../diagnostics/index.ts';
import type { Address } from '../net/index.ts';
import type { ManualBackupWork } from '../resilience/index.ts';
import type { LoadedConfig } from './config/index.ts';
import type { PeerStatus } from './network/index.ts';
import type { NodeServices } from './services/index.ts';

/** The options of the composition root. */
export interface OpenNodeOptions {
  readonly config: LoadedConfig;
  /** The cluster secret, then the previous one if it is still accepted. Empty: none, and the node binds loopback only. */
  readonly clusterTokens: readonly string[];
  readonly logger: Logger;
  /** False: opens only the database; nothing listens, dials or announces. For commands that run while no node does. */
  readonly network: boolean;
  /** True: opened for one command. It makes no automatic backups, and keeps its notices about the files for the next node. Default false. */
  readonly isCommand?: boolean;
  /** The program's own resolvers, by collection. Default: none. */
  readonly resolvers?: Readonly<Record<string, Resolver>>;
  /** Abandons the opening, leaving nothing open. Once it is done, the signal means nothing. */
  readonly signal?: AbortSignal;
}

export type OpenNode = (options: OpenNodeOptions) => Promise<RunningNode>;

/** A node in this process, as the command line and HTTP see it. */
export interface RunningNode {
  readonly database: Database;
  /** The token with which `watch` yields the changes that become durable after this call. */
  resumeToken(): string;
  address(): NodeAddress;
  status(): NodeStatus;
  peers(): PeerStatus[];
  /** Runs the health checks now. */
  health(): Promise<HealthReport>;
  /** Values of metrics beyond those in `status`, `peers` and `health`. */
  metrics(): Promise<readonly MetricSample[]>;
  /** The services of the node, for programs that embed it. */
  readonly services: NodeServices;
  readonly maintenance: Maintenance;
  /**
   * Takes the node off the network, or back, until it stops. Off the network it neither listens, dials nor announces, and its
   * documents stay readable and writable. Rejects with PORT_IN_USE if its port was taken meanwhile, CONFIG_ERROR USAGE if it was
   * started without a network, DATABASE_CLOSED once it is stopping.
   */
  setNetworkPaused(isPaused: boolean): Promise<void>;
  /**
   * Takes over what may change in a running node (`LIVE_KEYS`), including the cluster's tokens; ignores everything else. Rejects with
   * CONFIG_ERROR TOKEN_WEAK, with nothing changed.
   */
  reconfigure(config: LoadedConfig, clusterTokens: readonly string[]): Promise<void>;
  /** Stops gracefully: finishes accepted writes, says goodbye to peers, releases everything. Idempotent. */
  close(): Promise<void>;
}

/** Where a node listens: for peers, for beacons, and for HTTP. Null: that part is not running. */
export interface NodeAddress {
  readonly tcp: Address | null;
  readonly udp: Address | null;
  readonly http: Address | null;
}

/** The state of a node at one moment. */
export interface NodeStatus {
  /** Human name of the node. */
  readonly nodeId: string;
  /** Replica id under which it writes; a copied or restored database takes a new one. */
  readonly replica: string;
  /** Version of this package. */
  readonly version: string;
  /** Id of its process. */
  readonly pid: number;
  /** Wall clock of the start, ms. */
  readonly startedAt: number;
  /** The database file. */
  readonly databasePath: string;
  readonly address: NodeAddress;
  /** True while at least one peer is connected. */
  readonly isOnline: boolean;
  readonly connectedPeers: number;
  /** Fingerprint of the cluster token, to compare with that of other nodes, as `doctor` prints it. Null: no token, or no network. */
  readonly tokenFingerprint: string | null;
  /** Whether `setNetworkPaused` took the node off the network. */
  readonly isNetworkPaused: boolean;
  /** Wall clock of the last round with any peer, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  /** Operations waiting in the offline queue. */
  readonly queuedOperations: number;
  readonly collections: readonly CollectionInfo[];
  /** Peers that are refused, here or there, until somebody changes something, such as a token or a release. */
  readonly refusals: readonly PeerRefusal[];
  /** Sentences that the user should read: about a missing token, a wrong clock, a copied database, refused peers. */
  readonly notices: readonly string[];
}

export interface Maintenance {
  /**
   * Resolves with the path of the finished, verified backup. Null: a name with date and time in BackupPath. Rejects with
   * OPTION_INVALID if there is no BackupPath, unless `isAnywhereAllowed`, which is for programs, not for requests from outside.
   */
  backup(path: string | null, options?: ManualBackupWork): Promise<string>;
  /** Throws DatabaseCorruptionError that names what is damaged. */
  checkIntegrity(signal?: AbortSignal): Promise<void>;
  /** Returns unused space of the file to the file system; resolves with the number of bytes. */
  compact(signal?: AbortSignal): Promise<number>;
}
