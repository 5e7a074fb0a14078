import { type ConfigKeyName, type ConfigValues, LIMIT_KEYS, type LimitName } from './config-keys.ts';
import type { LoadedConfig } from './loaded-config.ts';

/** Keys that a running node takes over when it reads its configuration again; all others need a restart. */
const LIVE_VALUES = [
  'Network.RetryAttempts',
  'Network.RetryDelayMs',
  'Network.ConnectionTimeoutMs',
  'Network.KnownPeers',
  'Persistence.CacheSizeMb',
  'Persistence.BackupIntervalMinutes',
  'Persistence.BackupRetention',
  'Persistence.BlobGraceDays',
  'Sync.MaxQueueSize',
  'Sync.QueueOverflow',
  'Sync.SyncIntervalMs',
  'Sync.BatchSize',
  'Health.IntervalSeconds',
  'Health.ScrubMegabytesPerSecond',
  'Health.ShutdownTimeoutMs',
  'Logging.LogLevel',
] as const satisfies readonly ConfigKeyName[];

/** Taken over only if the node had a token and still has one: a node started without a token is bound to its own machine. */
const TOKEN_KEYS = [
  'Network.AuthToken',
  'Network.AuthTokenFile',
  'Network.PreviousAuthToken',
  'Network.PreviousAuthTokenFile',
] as const satisfies readonly ConfigKeyName[];

const TOKEN_NAMES: ReadonlySet<string> = new Set(TOKEN_KEYS);

/** Bounds that are read at each use; the others size things that are made at the start. */
const LIVE_LIMITS = [
  'documentDepthMax',
  'transactionDocumentsMax',
  'transactionBytesMax',
  'writeQueueMax',
  'commitWritesMax',
  'commitBytesMax',
  'sessionCreditBytes',
  'messageBytesMax',
  'liveGroupVersionsMax',
  'liveGroupBytesMax',
  'rangesPerMessageMax',
  'rangeListMax',
  'receiptWaitersMax',
] as const satisfies readonly LimitName[];

const LIMIT_NAMES: ReadonlySet<LimitName> = new Set(LIVE_LIMITS);

/** Names of all keys that take effect in a running node, limits included. */
export const LIVE_KEYS: ReadonlySet<string> = new Set([
  ...LIVE_VALUES,
  ...TOKEN_KEYS,
  ...[...LIMIT_KEYS].filter(([, { limit }]) => LIMIT_NAMES.has(limit)).map(([name]) => name),
]);

/** Whether a change of this key takes effect in a running node. */
export function countsAtOnce(key: string, running: LoadedConfig, next: LoadedConfig): boolean {
  return LIVE_KEYS.has(key) && (!TOKEN_NAMES.has(key) || (hasToken(running) && hasToken(next)));
}

/** The running configuration with everything from `next` that takes effect in a running node. */
export function takeLive(running: LoadedConfig, next: LoadedConfig): LoadedConfig {
  const names = [...LIVE_VALUES, ...TOKEN_KEYS].filter((key) => countsAtOnce(key, running, next));
  const values: ConfigValues = { ...running.values, ...pick(next.values, names) };
  return { ...running, values, limits: { ...running.limits, ...pick(next.limits, LIVE_LIMITS) } };
}

function hasToken({ values }: LoadedConfig): boolean {
  return values['Network.AuthToken'] !== null || values['Network.AuthTokenFile'] !== null;
}

function pick<T extends object, Name extends keyof T>(from: T, names: readonly Name[]): Pick<T, Name> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as unknown as Pick<T, Name>;
}
