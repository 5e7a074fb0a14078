import { isIP } from 'node:net';
import { ConfigurationError } from '../../core/errors/index.ts';
import { sourceText } from './config-source.ts';
import type { LoadedConfig } from './loaded-config.ts';

/** Room for names, contexts and numbers around a document on the wire. */
const FRAME_OVERHEAD_BYTES = 64 * 1024;
/** Messages are cut by the characters of their documents, and a character has up to so many bytes. */
const CHARACTER_BYTES_MAX = 3;

/** Names by which SQLite knows a database in memory, and its addresses. Here they would be names of files. */
const NO_FILE = /(^|[\\/])(:memory:$|file:)/;

/** Throws OPTION_INVALID for values that are allowed each by itself, but not together. */
export function checkConsistency(config: LoadedConfig): void {
  const { values, limits } = config;
  for (const which of ['', 'Previous'] as const) {
    const [key, fileKey] = [`Network.${which}AuthToken`, `Network.${which}AuthTokenFile`] as const;
    if (values[key] !== null && values[fileKey] !== null && isSameSource(config, key, fileKey)) {
      const allowed = `the cluster secret either in ${which}AuthToken or in ${which}AuthTokenFile, not in both`;
      throw conflict(config, fileKey, allowed);
    }
  }
  if (!isLoopback(values['Http.Host']) && values['Http.TokenFile'] === null && values['Http.Enabled']) {
    throw conflict(
      config,
      'Http.Host',
      '127.0.0.1, ::1 or localhost unless Http.TokenFile names a file with a bearer token',
    );
  }
  if (values['Http.Enabled'] && values['Http.Port'] !== 0 && values['Http.Port'] === values['Network.TcpPort']) {
    throw conflict(config, 'Http.Port', 'another port than Network.TcpPort, or 0 for a free one');
  }
  if (NO_FILE.test(values['Persistence.DatabasePath'])) {
    throw conflict(
      config,
      'Persistence.DatabasePath',
      'a path: a database is always a file, in tests one in an empty folder',
    );
  }
  const peers = values['Network.KnownPeers'].length;
  if (peers > limits.peersMax) {
    const allowed = `a list of at most Limits.PeersMax, ${limits.peersMax}`;
    throw valueError(config, 'Network.KnownPeers', { value: peers, shown: `a list of ${peers}` }, allowed);
  }
  if (limits.frameBytesMax < limits.documentBytesMax + FRAME_OVERHEAD_BYTES) {
    throw conflict(config, 'Limits.FrameBytesMax', `at least Limits.DocumentBytesMax + ${FRAME_OVERHEAD_BYTES}`);
  }
  const messageBytesMax = Math.floor((limits.frameBytesMax - FRAME_OVERHEAD_BYTES) / CHARACTER_BYTES_MAX);
  if (limits.messageBytesMax > messageBytesMax) {
    throw conflict(
      config,
      'Limits.MessageBytesMax',
      `at most ${messageBytesMax}, so that it fits into Limits.FrameBytesMax`,
    );
  }
  const waitingBytes = limits.channelHighWaterBytes + CHARACTER_BYTES_MAX * limits.messageBytesMax;
  if (limits.channelBufferBytesMax < waitingBytes) {
    const allowed = `at least ${waitingBytes}: Limits.ChannelHighWaterBytes and one message of Limits.MessageBytesMax characters`;
    throw conflict(config, 'Limits.ChannelBufferBytesMax', allowed);
  }
  if (limits.transactionBytesMax < limits.documentBytesMax) {
    throw conflict(config, 'Limits.TransactionBytesMax', 'at least Limits.DocumentBytesMax');
  }
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Two sources are no conflict, because the stronger one wins; within one source it is unclear what was meant. */
function isSameSource({ sources }: LoadedConfig, a: string, b: string): boolean {
  return sources.get(a)?.kind === sources.get(b)?.kind;
}

function conflict(config: LoadedConfig, key: string, allowed: string): ConfigurationError {
  const { values, limits } = config;
  const limit = key.startsWith('Limits.') ? `${key[7]!.toLowerCase()}${key.slice(8)}` : undefined;
  const value = limit === undefined ? values[key as keyof typeof values] : limits[limit as keyof typeof limits];
  return valueError(config, key, { value, shown: JSON.stringify(value) }, allowed);
}

function valueError(
  { sources }: LoadedConfig,
  key: string,
  { value, shown }: { readonly value: unknown; readonly shown: string },
  allowed: string,
): ConfigurationError {
  const source = sourceText(sources.get(key)!);
  return new ConfigurationError('OPTION_INVALID', `${key} is ${shown} in ${source}; allowed is ${allowed}`, {
    details: { key, value, allowed, source },
  });
}
