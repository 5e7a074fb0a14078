import { isDeepStrictEqual } from 'node:util';
import { CONFIG_KEYS, type ConfigKeyName, LIMIT_KEYS } from './config-keys.ts';
import type { LoadedConfig } from './loaded-config.ts';

/** Names of the keys, limits included, whose effective values differ; where a value came from does not matter. */
export function changedKeys(before: LoadedConfig, after: LoadedConfig): string[] {
  const keys = (Object.keys(CONFIG_KEYS) as ConfigKeyName[]).filter(
    (name) => !isDeepStrictEqual(before.values[name], after.values[name]),
  );
  const limits = [...LIMIT_KEYS].filter(([, { limit }]) => before.limits[limit] !== after.limits[limit]);
  return [...keys, ...limits.map(([name]) => name)];
}
