import type { Limits } from '../../core/config/index.ts';
import type { ConfigValues } from './config-keys.ts';
import type { ConfigSource } from './config-source.ts';

/** The effective configuration of one node. */
export interface LoadedConfig {
  readonly values: ConfigValues;
  readonly limits: Limits;
  /** By key, for every key. */
  readonly sources: ReadonlyMap<string, ConfigSource>;
  /** Absolute path of the settings file; null if there is none. */
  readonly file: string | null;
  /** Absolute path of the folder that relative paths are resolved against. */
  readonly baseDirectory: string;
  /** Absolute path of the folder that holds the database, its marker and the node file. */
  readonly dataDirectory: string;
  /** Sentences for the log, about unknown keys and the like. */
  readonly warnings: readonly string[];
}
