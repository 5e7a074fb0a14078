import { ALL_KEYS, type ConfigKeyName, LIMIT_KEYS } from './config-keys.ts';
import { sourceText } from './config-source.ts';
import type { LoadedConfig } from './loaded-config.ts';

export interface ConfigLine {
  readonly key: string;
  /** Null if unset. Secrets are masked. */
  readonly value: unknown;
  readonly source: string;
}

/** Every effective value and where it came from, in the order of the table, with secrets masked. */
export function describeConfig(config: LoadedConfig): ConfigLine[] {
  return [...ALL_KEYS].map(([key, { secret }]) => {
    const value = effectiveValue(config, key);
    return { key, value: secret && value !== null ? '********' : value, source: sourceText(config.sources.get(key)!) };
  });
}

function effectiveValue(config: LoadedConfig, key: string): unknown {
  const limit = LIMIT_KEYS.get(key)?.limit;
  return limit === undefined ? plain(config.values[key as ConfigKeyName]) : config.limits[limit];
}

/** Converts a map to an object, for JSON. */
function plain(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
