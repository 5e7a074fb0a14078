import { isEntglDbError } from '../../../core/errors/index.ts';
import { type LoadedConfig, readTokens } from '../../config/index.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** Checks the configuration file, its keys and the secrets. */
export async function checkConfiguration(config: LoadedConfig): Promise<Finding[]> {
  const file =
    config.file === null
      ? warning('configuration', 'there is no file, only defaults; `entgldb init` writes one')
      : ok('configuration', `read from ${config.file}`);
  const unknown = config.warnings.map((text) => warning('configuration', text));
  return [file, ...unknown, ...(await checkTokens(config))];
}

/** A short text that shows whether two tokens are equal, and nothing else about them. */
export async function tokenFingerprint(token: string): Promise<string> {
  const { deriveClusterKey, fingerprintOf } = await import('../../../net/tcp/index.ts');
  return fingerprintOf(await deriveClusterKey(token));
}

async function checkTokens(config: LoadedConfig): Promise<Finding[]> {
  try {
    const { cluster, warnings } = await readTokens(config);
    const [current, previous] = await Promise.all(cluster.map(tokenFingerprint));
    const before = previous === undefined ? '' : `; nodes with the one before it, ${previous}, are let in`;
    const token =
      current === undefined
        ? warning(
            'cluster token',
            'none in the settings: unless it is started with --token-file, this node talks to nobody beyond this machine; set Network.AuthTokenFile, the same on all nodes',
          )
        : ok('cluster token', `set, fingerprint ${current}: the same on all nodes that shall sync${before}`);
    return [token, ...warnings.map((text) => warning('cluster token', text))];
  } catch (error) {
    if (!isEntglDbError(error)) throw error;
    return [failed('cluster token', error.message)];
  }
}
