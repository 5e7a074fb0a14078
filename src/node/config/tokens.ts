import { readFile, stat } from 'node:fs/promises';
import { TOKEN_CHARS_MIN } from '../../core/config/index.ts';
import { ConfigurationError } from '../../core/errors/index.ts';
import { fileProblem } from '../files/index.ts';
import { type ConfigSource, sourceText } from './config-source.ts';
import type { LoadedConfig } from './loaded-config.ts';

export interface Tokens {
  /** Secrets of the cluster: the current one, then the previous one if it is still accepted. Empty: none. */
  readonly cluster: readonly string[];
  /** Bearer token of the HTTP server; null: none. */
  readonly http: string | null;
  /** Sentences for the log, about files that others can read. */
  readonly warnings: readonly string[];
}

/** The texts that must never be shown. */
export function secretsOf({ cluster, http }: Tokens): readonly string[] {
  return http === null ? cluster : [...cluster, http];
}

/**
 * Reads the secrets that the configuration names. Throws CONFIG_ERROR: FILE_NOT_FOUND, FILE_INVALID, TOKEN_WEAK. No message
 * ever contains a token.
 */
export async function readTokens(config: LoadedConfig): Promise<Tokens> {
  const warnings: string[] = [];
  const current = await readClusterToken(config, '', warnings);
  const previous = current === null ? null : await readClusterToken(config, 'Previous', warnings);
  const cluster = [...new Set([current, previous])].filter((token) => token !== null);
  const httpFile = config.values['Http.TokenFile'];
  const http = httpFile === null ? null : await readTokenFile(httpFile, 'Http.TokenFile', warnings);
  return { cluster, http, warnings };
}

async function readClusterToken(
  config: LoadedConfig,
  which: '' | 'Previous',
  warnings: string[],
): Promise<string | null> {
  const [key, fileKey] = [`Network.${which}AuthToken`, `Network.${which}AuthTokenFile`] as const;
  const { [key]: inline, [fileKey]: file } = config.values;
  if (file !== null && (inline === null || rank(config, fileKey) > rank(config, key))) {
    return readTokenFile(file, fileKey, warnings);
  }
  if (inline === null) return null;
  const source = config.sources.get(key)!;
  if (source.kind === 'file') await warnIfShared(source.path, warnings);
  return strongEnough(inline.trim(), `${key} in ${sourceText(source)}`);
}

const STRENGTH: readonly ConfigSource['kind'][] = ['default', 'file', 'environment', 'options', 'flag'];

function rank(config: LoadedConfig, key: string): number {
  return STRENGTH.indexOf(config.sources.get(key)?.kind ?? 'default');
}

async function readTokenFile(path: string, key: string, warnings: string[]): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_INVALID';
    throw new ConfigurationError(
      reason,
      `${key}: cannot read ${path}: ${fileProblem(cause)}; write the token into a file there`,
      {
        details: { key, path },
        cause,
      },
    );
  });
  await warnIfShared(path, warnings);
  const remedy = key === 'Http.TokenFile' ? 'at random; `entgldb init` makes none for HTTP' : undefined;
  return strongEnough(text.trim(), `the token in ${path} (${key})`, remedy);
}

function strongEnough(token: string, what: string, remedy = 'or let `entgldb init` make one'): string {
  if (token.length >= TOKEN_CHARS_MIN) return token;
  throw new ConfigurationError(
    'TOKEN_WEAK',
    `${what} has ${token.length} characters; use at least ${TOKEN_CHARS_MIN}, ${remedy}`,
    { details: { charactersMin: TOKEN_CHARS_MIN, characters: token.length } },
  );
}

/** Not on Windows, where `mode` has no such bits. */
async function warnIfShared(path: string, warnings: string[]): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) warnings.push(`${path} holds a token and others can read it; run: chmod 600 ${path}`);
}
