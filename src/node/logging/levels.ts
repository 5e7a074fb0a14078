import type { LogLevel } from '../config/index.ts';

/** pino's names for the configured levels. */
export const PINO_LEVELS = {
  Trace: 'trace',
  Debug: 'debug',
  Information: 'info',
  Warning: 'warn',
  Error: 'error',
  Critical: 'fatal',
  None: 'silent',
} as const satisfies Record<LogLevel, string>;

/** The configured level for pino's name. */
export function guideLevel(label: string): string {
  return Object.entries(PINO_LEVELS).find(([, name]) => name === label)?.[0] ?? label;
}

/**
 * The minimum level of a category: that of the longest configured name that is the category or lies above it (`EntglDb.Network`
 * lies above `EntglDb.Network.Discovery`), else that of `Default`. Case is ignored, as in .NET.
 */
export function levelOf(category: string, levels: ReadonlyMap<string, LogLevel>): LogLevel {
  const byName = new Map([...levels].map(([name, level]) => [name.toLowerCase(), level]));
  for (let name = category.toLowerCase(); name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const level = byName.get(name);
    if (level !== undefined) return level;
  }
  return byName.get('default') ?? 'Information';
}
