export { changedKeys } from './changed-keys.ts';
export {
  ALL_KEYS,
  CONFIG_KEYS,
  type ConfigKeyName,
  type ConfigValues,
  LIMIT_KEYS,
  LOG_LEVELS,
  type LogLevel,
} from './config-keys.ts';
export { type ConfigSource, sourceText } from './config-source.ts';
export { isLoopback } from './consistency.ts';
export { type ConfigLine, configTable, describeConfig } from './describe-config.ts';
export { countsAtOnce, LIVE_KEYS, takeLive } from './live-keys.ts';
export { type LoadConfigOptions, loadConfig } from './load-config.ts';
export type { LoadedConfig } from './loaded-config.ts';
export { nearestName } from './nearest-name.ts';
export { readTokens, TOKEN_CHARS_MIN, type Tokens } from './tokens.ts';
export { parseAddress } from './value-kind.ts';
export { createToken, type NewConfigOptions, writeNewConfig } from './write-config.ts';
