import { type Logger, silentLogger } from '../core/logging/index.ts';
import type { Resolver } from '../core/merge/index.ts';
import { checkOptions, type OptionNames } from '../core/options/index.ts';
import { NodeDatabase } from './node-database.ts';
import { assertNodeVersion } from './node-version.ts';

/**
 * Section `Network` of the settings. A setting that is absent comes from the environment, then from the file; the default
 * applies last. docs/configuration.md has the bounds of each.
 */
export interface NetworkSettings {
  /** Port on which other nodes sync with this one; 0 picks a free one. Default: 5000. */
  readonly tcpPort?: number;
  /** Port of discovery, the same on all nodes that are to find each other. Default: 6000. */
  readonly udpPort?: number;
  /** Attempts of one dial before a pause; dialling never ends. Default: 3. */
  readonly retryAttempts?: number;
  /** Delay before the second attempt, ms; it doubles, with jitter. Default: 1000. */
  readonly retryDelayMs?: number;
  /** Longest time for one attempt to connect, ms. Default: 5000. */
  readonly connectionTimeoutMs?: number;
  /** Binds loopback only: nothing is reachable from other machines. Default: false. */
  readonly localhostOnly?: boolean;
  /** The cluster's secret, at least 16 characters. Without one, the node binds loopback only. Default: none. */
  readonly authToken?: string;
  /** File that holds the secret, instead of `authToken`. */
  readonly authTokenFile?: string;
  /** The previous secret: nodes that still hold it are accepted too. */
  readonly previousAuthToken?: string;
  /** File that holds the previous secret, instead of `previousAuthToken`. */
  readonly previousAuthTokenFile?: string;
  /** Nodes to dial in addition to discovered ones, as `host:port`, IPv6 as `[fe80::1%eth0]:port`. Default: none. */
  readonly knownPeers?: readonly { readonly address: string }[];
  /** Finds nodes on the local network. Default: true. */
  readonly enableDiscovery?: boolean;
}

/** Section `Persistence` of the settings. Sources and bounds as for `NetworkSettings`. */
export interface PersistenceSettings {
  /** The database file; its folder is the data directory. Default: `data/entgldb.db`. */
  readonly databasePath?: string;
  /** SQLite's write-ahead log. Without it, readers and writers wait for each other. Default: true. */
  readonly enableWalMode?: boolean;
  /** Size limit of the document cache, MiB. Default: 10. */
  readonly cacheSizeMb?: number;
  /** How long to wait for another process that locks the file, ms. Default: 5000. */
  readonly busyTimeoutMs?: number;
  /** `full`: an acknowledged write survives a power cut. `normal`: it survives a crash of the process. Default: `full`. */
  readonly durability?: 'full' | 'normal';
  /** Makes backups automatically, once `backupPath` is set. Default: true. */
  readonly enableAutoBackup?: boolean;
  /** Folder of the backups, best for this node alone. Default: none, so no backups. */
  readonly backupPath?: string;
  /** Time between two automatic backups, minutes. Default: 60. */
  readonly backupIntervalMinutes?: number;
  /** Automatic backups to keep. Default: 7. */
  readonly backupRetention?: number;
  /** Days without a reference after which a blob is deleted, on all nodes; 0: never automatically. Default: 30. */
  readonly blobGraceDays?: number;
}

/** Section `Sync` of the settings. Sources and bounds as for `NetworkSettings`. */
export interface SyncSettings {
  /** Offers the durable queue for operations that wait. Default: true. */
  readonly enableOfflineQueue?: boolean;
  /** Most operations in the offline queue. Default: 1000. */
  readonly maxQueueSize?: number;
  /** What a full queue does: refuse the new operation, or drop the oldest and report it. Default: `reject`. */
  readonly queueOverflow?: 'reject' | 'drop-oldest';
  /** Time between two rounds with a peer, even when nothing is pushed, ms. Default: 5000. */
  readonly syncIntervalMs?: number;
  /** Collections that this node wants; writes into others are refused. Default: all. */
  readonly collections?: readonly string[];
  /** How concurrent writes are resolved, for all collections or by name (`*`: the others). `resolvers` overrides it. Default: `lww`. */
  readonly conflictResolver?: 'lww' | 'merge' | Readonly<Record<string, 'lww' | 'merge'>>;
  /** How long a deletion is remembered document by document, hours. Default: 168. */
  readonly tombstoneRetentionHours?: number;
  /** How far ahead of this clock another node's stamp may be and still move it, ms. Default: 60,000. */
  readonly maxClockDriftMs?: number;
}

/** Options of `openDatabase`. */
export interface OpenDatabaseOptions {
  /** Settings file, relative to the working directory. Default: `appsettings.json` in `dataDirectory` or, without one, in the working directory, if it exists. */
  readonly configFile?: string;
  /** Folder of the database file, relative to the working directory; overrides the folder in `persistence.databasePath`. */
  readonly dataDirectory?: string;
  /** Human name of the node. Default: host name and four random letters, kept in the database. */
  readonly nodeId?: string;
  /** False: no network at all; nothing listens, dials or announces. */
  readonly network?: NetworkSettings | false;
  readonly persistence?: PersistenceSettings;
  readonly sync?: SyncSettings;
  /**
   * Section `Health`: time between two periodic checks, seconds (default: 300); speed of the background integrity check, MB per
   * second, 0 turns it off (default: 2); how long a graceful stop may take, ms (default: 5000).
   */
  readonly health?: {
    readonly intervalSeconds?: number;
    readonly scrubMegabytesPerSecond?: number;
    readonly shutdownTimeoutMs?: number;
  };
  /** Bounds by name, see docs/limits.md. */
  readonly limits?: Readonly<Record<string, number>>;
  /** The program's own resolvers by collection: pure functions with a name, on which nodes must agree. Override `sync.conflictResolver`. */
  readonly resolvers?: Readonly<Record<string, Resolver>>;
  /** Default: silent. Its errors are ignored; rejects with TypeError if it lacks a method. */
  readonly logger?: Logger;
  /**
   * Abandons the opening, which then rejects with the reason of the signal and leaves nothing open. It counts between two steps, and
   * while backups are verified, but not in the middle of work on the file. Once the database is open, it means nothing.
   */
  readonly signal?: AbortSignal;
}

/**
 * Opens the database of this machine and joins its network. Settings come from the file, then from `EntglDb__…` in the
 * environment, then from these options, each stronger than the previous. Resolves when reads and writes work and, with a
 * network, the node listens; peers are found later.
 *
 * Rejects with CONFIG_ERROR (FILE_INVALID, OPTION_INVALID, TOKEN_WEAK, USAGE on a Node that is too old …), PERSISTENCE_ERROR
 * (DATABASE_LOCKED, DATABASE_CORRUPT, FORMAT_TOO_NEW, PERMISSION_DENIED, DISK_FULL …) or NETWORK_ERROR (PORT_IN_USE,
 * LISTEN_FAILED), leaving nothing open. An unknown option is OPTION_INVALID; in a file or the environment it is a warning.
 */
export async function openDatabase(options: OpenDatabaseOptions = {}): Promise<NodeDatabase> {
  assertNodeVersion();
  if (typeof options !== 'object' || options === null)
    throw new TypeError(
      `the options of openDatabase are ${String(options)}; write an object such as { nodeId: 'till-1' }`,
    );
  const {
    configFile,
    dataDirectory,
    logger: given,
    resolvers = {},
    network,
    signal,
    ...sections
  } = withoutNulls(options);
  const abort = signal === undefined ? {} : { signal };
  checkOptions(abort, 'openDatabase', ABORT);
  signal?.throwIfAborted();
  requirePath('configFile', configFile);
  requirePath('dataDirectory', dataDirectory);
  const logger =
    given === undefined ? silentLogger : (await import('./logging/program-logger.ts')).programLogger(given);
  const [{ loadConfig, readTokens }, { openNode }] = await Promise.all([
    import('./config/index.ts'),
    import('./open-node.ts'),
  ]);
  const config = await loadConfig({
    workingDirectory: process.cwd(),
    environment: process.env,
    options: network === false || network === undefined ? sections : { ...sections, network },
    ...(configFile === undefined ? {} : { configFile }),
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
  });
  const tokens = await readTokens(config);
  for (const warning of [...config.warnings, ...tokens.warnings]) logger.warn({}, warning);
  const clusterTokens = tokens.cluster;
  signal?.throwIfAborted();
  const node = await openNode({ config, clusterTokens, logger, network: network !== false, resolvers, ...abort });
  return new NodeDatabase(node);
}

const ABORT: OptionNames<Pick<OpenDatabaseOptions, 'signal'>> = { signal: true };

/** Null counts as not set, as it does in a settings file. */
function withoutNulls(options: OpenDatabaseOptions): OpenDatabaseOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}

function requirePath(name: string, path: unknown): void {
  if (path === undefined || typeof path === 'string') return;
  throw new TypeError(`${name} of openDatabase is ${typeof path}; give a path as a text`);
}
