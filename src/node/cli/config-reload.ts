import { changedKeys, LIVE_KEYS, type LoadedConfig, takeLive } from '../config/index.ts';
import type { OpenLogger } from '../logging/index.ts';

export interface ConfigReloadOptions {
  /** What the node was started with. */
  readonly config: LoadedConfig;
  readonly log: OpenLogger;
  load(): Promise<LoadedConfig>;
  /** Keys of secrets that lie in files and are others than the node was started with: the path says nothing of it. */
  changedSecrets(config: LoadedConfig): Promise<readonly string[]>;
  /** Hands the running node what counts at once; may wait until there is one. */
  apply(config: LoadedConfig): Promise<void>;
}

/**
 * Returns what reads the configuration again: it applies what may change in a running node, and logs which keys changed, and in
 * one Warning which of them need a restart. What cannot be loaded changes nothing and is logged as an Error. Calls while one is
 * under way become one call after it, so the last state of the file counts; such a call resolves at once. It never rejects.
 */
export function createConfigReload({
  config,
  log,
  load,
  changedSecrets,
  apply,
}: ConfigReloadOptions): () => Promise<void> {
  let running = config;
  let isReading = false;
  let isAskedAgain = false;

  const readOnce = async (): Promise<void> => {
    try {
      const next = await load();
      const changed = changedKeys(running, next);
      const applied = changed.filter((key) => LIVE_KEYS.has(key));
      const secrets = (await changedSecrets(next)).filter((key) => !changed.includes(key));
      const needRestart = [...changed.filter((key) => !LIVE_KEYS.has(key)), ...secrets];
      const taken = takeLive(running, next);
      await apply(taken);
      running = taken;
      for (const warning of next.warnings) log.logger.warn({}, warning);
      // Before the new levels count, lest one that hides Information hide these lines too.
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
