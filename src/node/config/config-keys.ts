import { LIMITS, type Limits } from '../../core/config/index.ts';
import {
  boolean,
  decimal,
  integer,
  integerOrOff,
  name,
  names,
  oneOf,
  path,
  peerAddresses,
  perName,
  text,
  type ValueKind,
} from './value-kind.ts';

/**
 * Every key of the configuration, under section `EntglDb`: what it accepts, its default, its meaning. The loader, the `config`
 * command and docs/configuration.md all come from this table.
 */
export interface ConfigKey<T> {
  readonly kind: ValueKind<T>;
  /** The default; null: none. */
  readonly fallback: T | null;
  readonly meaning: string;
  /** Its value is never shown. */
  readonly secret: boolean;
}

/** The guide's six levels, and off. */
const LOG_LEVELS = ['Trace', 'Debug', 'Information', 'Warning', 'Error', 'Critical', 'None'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A key that always has a value. */
function key<T>(kind: ValueKind<T>, fallback: T, meaning: string): ConfigKey<T> & { readonly fallback: T } {
  return { kind, fallback, meaning, secret: false };
}

/** A key without a default. */
function unset<T>(kind: ValueKind<T>, meaning: string, secret = false): ConfigKey<T> {
  return { kind, fallback: null, meaning, secret };
}

const port = integer(0, 65_535);
const milliseconds = integer(1, 86_400_000);

export const CONFIG_KEYS = {
  NodeId: unset(name(128), 'Human name of the node. Default: host name and four random letters, kept in the database.'),
  'Network.TcpPort': key(port, 5000, 'Port on which other nodes sync with this one. 0 picks a free one.'),
  'Network.UdpPort': key(port, 6000, 'Port of discovery; the same on all nodes that are to find each other.'),
  'Network.RetryAttempts': key(
    integer(1, 100),
    3,
    'Attempts of one dial before the supervisor pauses; it never gives up.',
  ),
  'Network.RetryDelayMs': key(milliseconds, 1000, 'Delay before the second attempt; it doubles, with jitter.'),
  'Network.ConnectionTimeoutMs': key(milliseconds, 5000, 'Longest time for one attempt to connect.'),
  'Network.LocalhostOnly': key(boolean, false, 'Bind loopback only: nothing is reachable from other machines.'),
  'Network.AuthToken': unset(
    text(1024),
    'Cluster secret, the same on all nodes, at least 16 characters. Without one, a node binds loopback only and says so.',
    true,
  ),
  'Network.AuthTokenFile': unset(path, 'File that holds the cluster secret, instead of AuthToken.'),
  'Network.PreviousAuthToken': unset(
    text(1024),
    'The cluster secret that AuthToken replaced. The node also talks to nodes that still hold it, until it is removed here.',
    true,
  ),
  'Network.PreviousAuthTokenFile': unset(path, 'File that holds the previous secret, instead of PreviousAuthToken.'),
  'Network.KnownPeers': key(peerAddresses, [], 'Nodes to dial, forever, in addition to those that discovery finds.'),
  'Network.EnableDiscovery': key(boolean, true, 'Find nodes on the local network automatically.'),
  'Persistence.DatabasePath': key(path, 'data/entgldb.db', 'The database file. Its folder is the data directory.'),
  'Persistence.EnableWalMode': key(
    boolean,
    true,
    'Write-ahead log of SQLite. Without it, readers (also backups and checks) and writers wait for each other.',
  ),
  'Persistence.CacheSizeMb': key(integer(1, 65_536), 10, 'Size limit of the document cache.'),
  'Persistence.BusyTimeoutMs': key(milliseconds, 5000, 'How long to wait for another process that locks the file.'),
  'Persistence.Durability': key(
    oneOf('full', 'normal'),
    'full',
    '`full`: an acknowledged write survives a power cut; `normal`: it survives a crash of the process.',
  ),
  'Persistence.EnableAutoBackup': key(boolean, true, 'Make backups automatically, once BackupPath is set.'),
  'Persistence.BackupPath': unset(path, 'Folder of the backups, best for this node alone. No backups until it is set.'),
  'Persistence.BackupIntervalMinutes': key(integer(1, 525_600), 60, 'Time between two automatic backups.'),
  'Persistence.BackupRetention': key(
    integer(1, 10_000),
    7,
    'Automatic backups to keep. Those made soon after another one go first, then the oldest.',
  ),
  'Persistence.BlobGraceDays': key(
    integerOrOff(7, 3650),
    30,
    'Days without a reference after which a blob is deleted, on all nodes; 0: never automatically.',
  ),
  'Sync.EnableOfflineQueue': key(boolean, true, 'Offer the durable queue for operations that wait.'),
  'Sync.MaxQueueSize': key(integer(1, 10_000_000), 1000, 'Most operations in the offline queue.'),
  'Sync.QueueOverflow': key(
    oneOf('reject', 'drop-oldest'),
    'reject',
    'What a full offline queue does: refuse the new operation, or drop the oldest and report it.',
  ),
  'Sync.SyncIntervalMs': key(milliseconds, 5000, 'Time between two rounds with a peer, even when nothing is pushed.'),
  'Sync.BatchSize': key(integer(1, 100_000), 1000, 'Versions per batch.'),
  'Sync.Collections': unset(names, 'Collections that this node wants; it refuses to write into others. Default: all.'),
  'Sync.ConflictResolver': key(
    perName(oneOf('lww', 'merge'), '*', 'collection'),
    new Map<string, 'lww' | 'merge'>([['*', 'lww']]),
    'How concurrent writes are resolved: the last writer wins, or field by field.',
  ),
  'Sync.TombstoneRetentionHours': key(
    integer(1, 87_600),
    168,
    'How long a deletion is remembered document by document.',
  ),
  'Sync.MaxClockDriftMs': key(
    milliseconds,
    60_000,
    'How far ahead of this clock a stamp of another node may be and still move it.',
  ),
  'Health.IntervalSeconds': key(integer(1, 86_400), 300, 'Time between two periodic health checks.'),
  'Health.ScrubMegabytesPerSecond': key(
    decimal(0, 1000),
    2,
    'Speed of the background integrity check while the node has nothing else to do; 0 turns it off.',
  ),
  'Health.ShutdownTimeoutMs': key(
    milliseconds,
    5000,
    'How long a graceful stop may take. The backup at shutdown gets all but 2 seconds of it, and at least half.',
  ),
  'Http.Enabled': key(boolean, true, 'Serve HTTP when `entgldb start` runs the node.'),
  'Http.Host': key(text(255), '127.0.0.1', 'Address of the HTTP server. Any other than loopback needs TokenFile.'),
  'Http.Port': key(port, 8080, 'Port of the HTTP server. 0 picks a free one.'),
  'Http.TokenFile': unset(path, 'File that holds the bearer token of the HTTP server, at least 16 characters.'),
  'Logging.LogLevel': key(
    perName(oneOf(...LOG_LEVELS), 'Default', 'category'),
    new Map<string, LogLevel>([['Default', 'Information']]),
    'Lowest level that is logged; also read from the section `Logging` beside `EntglDb`, as in .NET.',
  ),
  'Logging.LogFilePath': unset(path, 'Log file. Default: the standard error output.'),
  'Logging.MaxLogFileSizeMb': key(integer(1, 10_240), 10, 'Size at which a new log file begins.'),
  'Logging.MaxLogFiles': key(integer(1, 1000), 5, 'Log files to keep; the oldest goes first.'),
};

type Table = typeof CONFIG_KEYS;
export type ConfigKeyName = keyof Table;

/** The effective value of every key. Null: none was set and there is no default. */
export type ConfigValues = { readonly [Name in ConfigKeyName]: ValueOf<Table[Name]> };
type ValueOf<Key> = Key extends ConfigKey<infer T> ? (Key extends { readonly fallback: T } ? T : T | null) : never;

export type LimitName = keyof Limits;

/** One key for each bound in core/config/defaults.ts, such as `Limits.DocumentBytesMax`. */
export const LIMIT_KEYS: ReadonlyMap<string, { readonly limit: LimitName; readonly key: ConfigKey<number> }> = new Map(
  (Object.keys(LIMITS) as LimitName[]).map((limit) => [
    `Limits.${limit[0]!.toUpperCase()}${limit.slice(1)}`,
    {
      limit,
      key: key(integer(1, limitMax(limit)), LIMITS[limit], `Bound \`${limit}\`; see docs/limits.md.`),
    },
  ]),
);

/** SQLite's JSON functions stop at 1,000 levels; all other limits only have to fit the engine's integers. */
function limitMax(limit: LimitName): number {
  return limit === 'documentDepthMax' ? 900 : 2_147_483_647;
}

/** Every key in its canonical spelling, limits included. */
export const ALL_KEYS: ReadonlyMap<string, ConfigKey<unknown>> = new Map<string, ConfigKey<unknown>>([
  ...(Object.entries(CONFIG_KEYS) as [string, ConfigKey<unknown>][]),
  ...[...LIMIT_KEYS].map(([name, { key: limitKey }]) => [name, limitKey as ConfigKey<unknown>] as const),
]);
