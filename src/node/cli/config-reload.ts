import { type ConfigKeyName, changedKeys, type LoadedConfig } from '../config/index.ts';
import type { OpenLogger } from '../logging/index.ts';

/** The one key that a running node takes over; all others are read when it starts. */
const APPLIED_KEY = 'Logging.LogLevel' satisfies ConfigKeyName;

export interface ConfigReloadOptions {
  /** What the node was started with. */
  readonly config: LoadedConfig;
  readonly log: OpenLogger;
  load(): Promise<LoadedConfig>;
}

/**
 * Returns what reads the configuration again: it applies the log levels, and logs which keys changed and which of them need a
 * restart. What cannot be loaded changes nothing and is logged as an Error. Calls while one is under way become one call
 * after it, so the last state of the file counts; such a call resolves at once. It never rejects.
 */
export function createConfigReload({ config, log, load }: ConfigReloadOptions): () => Promise<void> {
  let running = config;
  let isReading = false;
  let isAskedAgain = false;

  const readOnce = async (): Promise<void> => {
    try {
      const next = await load();
      const changed = changedKeys(running, next);
      const needRestart = changed.filter((key) => key !== APPLIED_KEY);
      for (const warning of next.warnings) log.logger.warn({}, warning);
      // Before the new levels count, lest one that hides Information hide this line too.
      log.logger.info({ changed, needRestart }, 'configuration read again');
      log.setLevels(next.values[APPLIED_KEY]);
      running = { ...running, values: { ...running.values, [APPLIED_KEY]: next.values[APPLIED_KEY] } };
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
