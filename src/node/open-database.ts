import { type Logger, silentLogger } from '../core/logging/index.ts';
import type { Resolver } from '../core/merge/index.ts';
import { NodeDatabase } from './node-database.ts';
import { assertNodeVersion } from './node-version.ts';

/** Section `Network` of the settings. docs/configuration.md has the meaning, default and bounds of each. */
export interface NetworkSettings {
  readonly tcpPort?: number;
  readonly udpPort?: number;
  readonly retryAttempts?: number;
  readonly retryDelayMs?: number;
  readonly connectionTimeoutMs?: number;
  readonly localhostOnly?: boolean;
  readonly authToken?: string;
  readonly authTokenFile?: string;
  /** The previous secret: nodes that still hold it are accepted too. */
  readonly previousAuthToken?: string;
  readonly previousAuthTokenFile?: string;
  readonly knownPeers?: readonly { readonly address: string }[];
  readonly enableDiscovery?: boolean;
}

/** Section `Persistence` of the settings; see docs/configuration.md. */
export interface PersistenceSettings {
  readonly databasePath?: string;
  readonly enableWalMode?: boolean;
  readonly cacheSizeMb?: number;
  readonly busyTimeoutMs?: number;
  readonly durability?: 'full' | 'normal';
  readonly enableAutoBackup?: boolean;
  readonly backupPath?: string;
  readonly backupIntervalMinutes?: number;
  readonly backupRetention?: number;
  readonly blobGraceDays?: number;
}

/** Section `Sync` of the settings; see docs/configuration.md. For a program's own resolvers, see `OpenDatabaseOptions.resolvers`. */
export interface SyncSettings {
  readonly enableOfflineQueue?: boolean;
  readonly maxQueueSize?: number;
  readonly queueOverflow?: 'reject' | 'drop-oldest';
  readonly syncIntervalMs?: number;
  readonly collections?: readonly string[];
  readonly conflictResolver?: 'lww' | 'merge' | Readonly<Record<string, 'lww' | 'merge'>>;
  readonly tombstoneRetentionHours?: number;
  readonly maxClockDriftMs?: number;
}

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
  const { configFile, dataDirectory, logger: given, resolvers = {}, network, ...sections } = options;
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
  const node = await openNode({ config, clusterTokens, logger, network: network !== false, resolvers });
  return new NodeDatabase(node);
}
