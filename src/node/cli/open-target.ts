import { access, stat } from 'node:fs/promises';
import { sleep } from '../../core/clock/index.ts';
import { type EntglDbError, isEntglDbError, NetworkError, PersistenceError } from '../../core/errors/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { type LoadedConfig, loadConfig, readTokens } from '../config/index.ts';
import { requirePath } from '../files/index.ts';
import type { NodeStatus } from '../node-api.ts';
import { readNodeFile } from '../node-file.ts';
import { awaitedClock } from '../system-clock.ts';
import type { CliContext, CommandRun, GlobalOptions } from './cli-context.ts';
import { CommandStopped } from './exit-code.ts';
import { HttpClient } from './http-client.ts';
import { localTarget } from './local-target.ts';
import type { NodeTarget } from './node-target.ts';
import { remoteTarget } from './remote-target.ts';

const LOCKED_RETRY_MS = 50;

export interface TargetNeeds {
  /** True: the command itself tells the warnings of the configuration. */
  readonly isSilent?: boolean;
  /** True: the command needs a running node. */
  readonly running?: boolean;
  /** True: a missing database is created. */
  readonly create?: boolean;
}

/** Loads the configuration that the global options name. */
export function loadCliConfig(
  context: CliContext,
  globals: GlobalOptions,
  flags: readonly { readonly flag: string; readonly key: string; readonly value: unknown }[] = [],
): Promise<LoadedConfig> {
  return loadConfig({
    workingDirectory: context.workingDirectory,
    environment: context.environment,
    flags,
    ...(globals.config === undefined ? {} : { configFile: globals.config }),
    ...(globals.data === undefined ? {} : { dataDirectory: globals.data }),
  });
}

/** Runs work with a signal that aborts with CommandStopped when the command is stopped. */
export async function withStop<T>(
  { onStopSignal }: CliContext,
  work: (stop: AbortSignal) => Promise<T>,
  message = 'stopped before it was done',
): Promise<T> {
  const stop = new AbortController();
  const forget = onStopSignal((signal) => stop.abort(new CommandStopped(signal, message)));
  try {
    return await work(stop.signal);
  } finally {
    forget();
  }
}

/** Opens a target, works on it, and closes it whatever happens. If the command is stopped, rejects with CommandStopped. */
export function withTarget<T>(
  run: CommandRun,
  needs: TargetNeeds,
  work: (target: NodeTarget, stop: AbortSignal) => Promise<T>,
): Promise<T> {
  return withStop(run.context, async (stop) => {
    const target = await openTarget(run, needs, stop);
    try {
      return await work(target, stop);
    } catch (error) {
      throw stop.aborted ? stoppedOver(target, stop.reason, error) : error;
    } finally {
      await target.close();
    }
  });
}

/** The error of a command that was stopped. `error` may be nothing but a consequence, or say more. */
function stoppedOver({ isRunning }: NodeTarget, stopped: CommandStopped, error: unknown): CommandStopped {
  if (error instanceof CommandStopped && error !== stopped) return error;
  const message = isRunning ? `${stopped.message}; the node may go on with it` : stopped.message;
  return new CommandStopped(stopped.signal, message);
}

/**
 * Opens the running node of the data directory or, without one, the database file without network. Waits for a node that is starting
 * or stopping and for another command, which have the database only for a moment.
 */
async function openTarget(run: CommandRun, needs: TargetNeeds, stop: AbortSignal): Promise<NodeTarget> {
  const config = await loadCliConfig(run.context, run.globals);
  if (needs.isSilent !== true) tellWarnings(run, config);
  return untilFree(config, () => openTargetOnce(run, config, needs, stop), stop);
}

/** Tells people what the configuration holds in vain: a misspelt DatabasePath leads to another database. */
export function tellWarnings({ output }: CommandRun, { warnings }: LoadedConfig): void {
  for (const warning of warnings) output.note(`entgldb: ${warning}`);
}

/** Calls `open` again, for up to `BusyTimeoutMs`, while another process has the database open and does not answer. */
export async function untilFree<T>({ values }: LoadedConfig, open: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  // The timers of this clock keep the process alive, which has nothing else to wait for.
  const clock = awaitedClock;
  const giveUpAt = clock.monotonic() + values['Persistence.BusyTimeoutMs'];
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isEntglDbError(error, 'DATABASE_LOCKED') && !isStarting(error)) throw error;
      if (clock.monotonic() >= giveUpAt) throw error;
      await sleep(clock, LOCKED_RETRY_MS, signal);
    }
  }
}

/** Whether the error is a NODE_UNREACHABLE of a database that a process has open. */
export function isStarting(error: unknown): error is EntglDbError {
  return isEntglDbError(error, 'NODE_UNREACHABLE') && 'pid' in error.details;
}

async function openTargetOnce(
  { context }: CommandRun,
  config: LoadedConfig,
  needs: TargetNeeds,
  signal: AbortSignal,
): Promise<NodeTarget> {
  const databasePath = config.values['Persistence.DatabasePath'];
  const running = await findRunning(databasePath, signal);
  if (running !== undefined) return remoteTarget(running);
  if (needs.running === true) throw await unreachable(databasePath);
  await requirePath('Persistence.DatabasePath', databasePath, 'file');
  if (needs.create !== true) await requireDatabase(databasePath);
  const openNode = await context.loadOpenNode();
  const { cluster: clusterTokens } = await readTokens(config);
  const node = await openNode({ config, clusterTokens, logger: silentLogger, network: false, isCommand: true, signal });
  // Nobody reads the log of a command, but a notice, such as that a backup replaced the file, must be seen.
  for (const notice of node.status().notices) context.stderr.write(`entgldb: ${notice}\n`);
  return localTarget(node);
}

async function unreachable(databasePath: string): Promise<NetworkError> {
  const { ownerOf } = await import('../../store/sqlite/index.ts');
  const pid = ownerOf(databasePath);
  if (pid !== undefined) {
    const message = `process ${pid} has the database ${databasePath} open and does not answer yet: a node that is starting, one with Http.Enabled off, or another command; ask again in a moment`;
    return new NetworkError('NODE_UNREACHABLE', message, { details: { databasePath, pid } });
  }
  const message = `no node is running on ${databasePath}; start one with \`entgldb start\``;
  return new NetworkError('NODE_UNREACHABLE', message, { details: { databasePath } });
}

/**
 * A client of the node that runs on this database. Undefined if nobody answers to the secret: then the node file was left behind.
 * The node must also run on this very database: a copied folder contains the node file of its original. A signal ends the search, and
 * then every request of the client.
 */
export async function findRunning(databasePath: string, signal?: AbortSignal): Promise<HttpClient | undefined> {
  const file = await readNodeFile(databasePath);
  if (file === undefined) return undefined;
  const client = new HttpClient(file.url, file.secret, { signal });
  try {
    const status = (await client.json({ method: 'GET', path: '/api/v1/status' })) as NodeStatus;
    return (await isSameFile(status.databasePath, databasePath)) ? client : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (isEntglDbError(error, 'TIMED_OUT')) throw error;
    return undefined;
  }
}

async function isSameFile(path: string, other: string): Promise<boolean> {
  if (path === other) return true;
  const [one, two] = await Promise.all(
    [path, other].map((each) => stat(each, { bigint: true }).catch(() => undefined)),
  );
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino;
}

async function requireDatabase(databasePath: string): Promise<void> {
  try {
    await access(databasePath);
  } catch (cause) {
    const { isFileGone } = await import('../../store/sqlite/index.ts');
    const message = isFileGone(databasePath)
      ? `the database file ${databasePath} is gone, and what lies beside it was left behind; put it back, or restore a backup with \`entgldb restore\`, or start a node to fetch all from peers`
      : `there is no database ${databasePath}; check --data and --config, or start a node`;
    throw new PersistenceError('IO_FAILED', message, { details: { databasePath }, cause });
  }
}
