import { ConfigurationError, isEntglDbError } from '../../../core/errors/index.ts';
import type { Address } from '../../../net/index.ts';
import { type LoadedConfig, parseAddress } from '../../config/index.ts';
import { readNodeFile } from '../../node-file.ts';
import type { CommandRun } from '../cli-context.ts';
import {
  checkAddress,
  checkConfiguration,
  checkPorts,
  checkReach,
  checkRunning,
  checkStorage,
  clusterTokens,
  type Finding,
  failed,
  warning,
} from '../doctor/index.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { isStarting, loadCliConfig, withTarget } from '../open-target.ts';

const MARKS = { ok: 'ok      ', warning: 'WARNING ', failed: 'FAILED  ' } as const;

/** Checks every point of the deployment checklist and, given an address, whether that node can be reached. Exit code 1 if one failed. */
export async function doctor(run: CommandRun, other: string | undefined): Promise<ExitCode> {
  const { context, output } = run;
  const address = other === undefined ? undefined : parseAddress(other);
  if (other !== undefined && address === undefined) {
    const withPort = `${other}:5000`;
    const meant = parseAddress(withPort) === undefined ? '' : `, as in ${withPort}`;
    throw new ConfigurationError('USAGE', `${other} is no address; give host:port of the other node${meant}`);
  }
  const config = await loadCliConfig(context, run.globals);
  const findings = [
    ...(await checkConfiguration(config)),
    ...(await checkStorage(config, context.clock)),
    ...checkReach(config),
    ...(await checkNode(run, config)),
  ];
  if (address !== undefined) findings.push(await checkOther(address, config));
  await output.answer({ findings }, findings.map(line).join('\n'));
  return findings.some(({ state }) => state === 'failed') ? EXIT.no : EXIT.ok;
}

async function checkOther(address: Address, config: LoadedConfig): Promise<Finding> {
  return checkAddress(address, await clusterTokens(config), config.values['Network.ConnectionTimeoutMs']);
}

function line({ point, state, message }: Finding): string {
  return `${MARKS[state]}${point}: ${message}`;
}

async function checkNode(run: CommandRun, config: LoadedConfig): Promise<Finding[]> {
  try {
    return await withTarget(run, { running: true, isSilent: true }, (target) =>
      checkRunning(target, config, run.context.clock.now()),
    );
  } catch (error) {
    if (!isEntglDbError(error)) throw error;
    // A node that hangs, or may not be asked, is one finding among others.
    if (error.reason !== 'NODE_UNREACHABLE') return [failed('node', error.message)];
    if (isStarting(error)) return [warning('node', error.message)];
    const left = await readNodeFile(config.values['Persistence.DatabasePath']);
    const state = left === undefined ? 'no node is running; `entgldb start` starts one' : CRASHED;
    return [warning('node', state), ...(await checkPorts(config))];
  }
}

const CRASHED =
  'no node is running, and the last one did not stop gracefully; the next start says if anything is missing';
