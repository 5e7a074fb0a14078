import { ConfigurationError } from '../core/errors/index.ts';

/** What the package needs of Node: `node:sqlite`, and sources that Node runs as they are. */
const NEEDED = [22, 18] as const;

/** Throws CONFIG_ERROR / USAGE on an older Node, which would say that it knows no `node:sqlite`. */
export function assertNodeVersion(version = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor, neededMinor] = NEEDED;
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new ConfigurationError(
    'USAGE',
    `this is Node ${version}, and EntglDb needs ${NEEDED.join('.')} or later; install that`,
  );
}
