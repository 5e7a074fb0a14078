import type { LogLevel } from '../config/index.ts';

/** The guide's levels in the words of pino. */
export const PINO_LEVELS = {
  Trace: 'trace',
  Debug: 'debug',
  Information: 'info',
  Warning: 'warn',
  Error: 'error',
  Critical: 'fatal',
  None: 'silent',
} as const satisfies Record<LogLevel, string>;

/** The guide's name of a pino level. */
export function guideLevel(label: string): string {
  return Object.entries(PINO_LEVELS).find(([, name]) => name === label)?.[0] ?? label;
}

/**
 * The least level of a category: of the longest configured name that is the category or one above it (`EntglDb.Network` is
 * above `EntglDb.Network.Discovery`), else `Default`. Case is ignored, as in .NET.
 */
export function levelOf(category: string, levels: ReadonlyMap<string, LogLevel>): LogLevel {
  const byName = new Map([...levels].map(([name, level]) => [name.toLowerCase(), level]));
  for (let name = category.toLowerCase(); name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const level = byName.get(name);
    if (level !== undefined) return level;
  }
  return byName.get('default') ?? 'Information';
}
