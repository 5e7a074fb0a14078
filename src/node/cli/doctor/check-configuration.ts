import { isEntglDbError } from '../../../core/errors/index.ts';
import { type LoadedConfig, readTokens } from '../../config/index.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** File, keys and secrets. */
export async function checkConfiguration(config: LoadedConfig): Promise<Finding[]> {
  const file =
    config.file === null
      ? warning('configuration', 'there is no file, only defaults; `entgldb init` writes one')
      : ok('configuration', `read from ${config.file}`);
  const unknown = config.warnings.map((text) => warning('configuration', text));
  return [file, ...unknown, ...(await checkTokens(config))];
}

async function checkTokens(config: LoadedConfig): Promise<Finding[]> {
  try {
    const { cluster, warnings } = await readTokens(config);
    const token =
      cluster === null
        ? warning(
            'cluster token',
            'none in the settings: unless it is started with --token-file, this node talks to nobody beyond this machine; set Network.AuthTokenFile, the same on all nodes',
          )
        : ok('cluster token', 'set; all nodes that shall sync need the very same one');
    return [token, ...warnings.map((text) => warning('cluster token', text))];
  } catch (error) {
    if (!isEntglDbError(error)) throw error;
    return [failed('cluster token', error.message)];
  }
}
