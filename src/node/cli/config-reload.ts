import {
  changedKeys,
  countsAtOnce,
  type LoadedConfig,
  readTokens,
  secretsOf,
  type Tokens,
  takeLive,
} from '../config/index.ts';
import type { OpenLogger } from '../logging/index.ts';

export interface ConfigReloadOptions {
  /** The configuration that the node was started with. */
  readonly config: LoadedConfig;
  readonly tokens: Tokens;
  readonly log: OpenLogger;
  load(): Promise<LoadedConfig>;
  /** Hands the running node the changes that take effect now; may wait until the node has started. */
  apply(config: LoadedConfig, clusterTokens: readonly string[]): Promise<void>;
}

/**
 * Returns a function that reads the configuration again. It applies what may change in a running node, logs which keys changed,
 * and lists those that need a restart in one Warning. A configuration that cannot be loaded changes nothing and is logged as an
 * Error. Calls during a reload become one further reload, so the last state of the file counts; such a call resolves immediately.
 * The function never rejects.
 */
export function createConfigReload(options: ConfigReloadOptions): () => Promise<void> {
  const { log, load, apply } = options;
  let { config: running, tokens } = options;
  let isReading = false;
  let isAskedAgain = false;

  const readOnce = async (): Promise<void> => {
    try {
      const next = await load();
      const read = await readTokens(next);
      log.hide(secretsOf(read));
      const changed = [...new Set([...changedKeys(running, next), ...changedSecrets(tokens, read, next)])];
      const isApplied = (key: string): boolean => countsAtOnce(key, running, next);
      const needRestart = changed.filter((key) => !isApplied(key));
      const taken = takeLive(running, next);
      const cluster = isApplied('Network.AuthToken') ? read.cluster : tokens.cluster;
      await apply(taken, cluster);
      const applied = changed.filter(isApplied);
      [running, tokens] = [taken, { ...tokens, cluster }];
      for (const warning of [...next.warnings, ...read.warnings]) log.logger.warn({}, warning);
      // Before the new levels apply, because one that hides Information would hide these lines too.
      log.logger.info({ changed, applied }, 'configuration read again');
      if (needRestart.length > 0)
        log.logger.warn({ needRestart }, `these changes need a restart of the node: ${needRestart.join(', ')}`);
      log.setLevels(taken.values['Logging.LogLevel']);
    } catch (error) {
      log.logger.error({ err: error }, 'the configuration cannot be read again; everything stays as it was');
    }
  };

  return async () => {
    isAskedAgain = true;
    if (isReading) return;
    isReading = true;
    while (isAskedAgain) {
      isAskedAgain = false;
      await readOnce();
    }
    isReading = false;
  };
}

/** Keys of secrets in files whose content differs from the secret in use, although the path may be the same. */
function changedSecrets(before: Tokens, after: Tokens, { values }: LoadedConfig): string[] {
  const isOther = {
    'Network.AuthTokenFile': before.cluster[0] !== after.cluster[0],
    'Network.PreviousAuthTokenFile': before.cluster[1] !== after.cluster[1],
    'Http.TokenFile': before.http !== after.http,
  };
  const files = Object.keys(isOther) as (keyof typeof isOther)[];
  return files.filter((key) => values[key] !== null && isOther[key]);
}
