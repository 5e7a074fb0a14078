import { ConfigurationError } from '../core/errors/index.ts';

/** The minimum version of Node: it needs `node:sqlite`, and must run TypeScript sources directly. */
const NEEDED = [22, 18] as const;

/** Throws CONFIG_ERROR / USAGE on an older Node, which would otherwise only say that there is no `node:sqlite`. */
export function assertNodeVersion(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor, neededMinor] = NEEDED;
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new ConfigurationError(
    'USAGE',
    `this is Node ${version}, and EntglDb needs ${NEEDED.join('.')} or later; install that`,
  );
}
