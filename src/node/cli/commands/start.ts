import { once } from 'node:events';
import { resolve } from 'node:path';
import { ConfigurationError, isEntglDbError } from '../../../core/errors/index.ts';
import { type LoadedConfig, parseAddress, readTokens, secretsOf, type Tokens } from '../../config/index.ts';
import { startDaemon, urlOf } from '../../daemon.ts';
import { type OpenLogger, openLogger } from '../../logging/index.ts';
import type { RunningNode } from '../../node-api.ts';
import type { CliContext, CommandRun } from '../cli-context.ts';
import { createConfigReload } from '../config-reload.ts';
import { CommandStopped, EXIT, type ExitCode } from '../exit-code.ts';
import { formatAddress } from '../format.ts';
import { findRunning, loadCliConfig, untilFree } from '../open-target.ts';

export interface StartArguments {
  readonly nodeId?: string;
  readonly tcpPort?: string;
  readonly udpPort?: string;
  readonly httpPort?: string;
  readonly peer?: readonly string[];
  /** Commander's form of `--no-discovery`. */
  readonly discovery?: boolean;
  readonly tokenFile?: string;
}

/** Runs a node until SIGINT or SIGTERM; SIGHUP reads the configuration again. */
export async function start(run: CommandRun, options: StartArguments): Promise<ExitCode> {
  const { context } = run;
  const flags = flagsOf(options, context);
  const config = await loadCliConfig(context, run.globals, flags);
  const tokens = await readTokens(config);
  const log = await openNodeLog(context, config, tokens);
  for (const warning of [...config.warnings, ...tokens.warnings]) log.logger.warn({}, warning);
  const stopping = new AbortController();
  const stopped = once(stopping.signal, 'abort');
  const forgetStop = context.onStopSignal((signal) =>
    stopping.abort(new CommandStopped(signal, 'stopped before the node was ready')),
  );
  // The configuration file that was read must exist again: without it the node would silently return to defaults.
  const globals = config.file === null ? run.globals : { ...run.globals, config: config.file };
  const started = Promise.withResolvers<RunningNode>();
  let latest = config;
  const reload = createConfigReload({
    config,
    tokens,
    log,
    load: () => loadCliConfig(context, globals, flags),
    apply: async (next, clusterTokens) => {
      latest = next;
      await (await started.promise).reconfigure(next, clusterTokens);
    },
  });
  const forgetReload = context.onReloadSignal(() => void reload());
  try {
    const { clock, random } = context;
    const openNode = await context.loadOpenNode();
    const begin = (): Promise<RunningNode> =>
      startDaemon(config, tokens, { openNode, clock, random, logger: log.logger, signal: stopping.signal });
    const node = await beginWhenFree(config, begin, stopping.signal);
    started.resolve(node);
    await run.output.answer(readyValue(node, config), readyText(node, config)).catch(() => {
      // A node goes on without a reader, and on a full disk.
    });
    await stopped;
    log.logger.info({ signal: (stopping.signal.reason as CommandStopped).signal }, 'stopping');
    return await closeInTime(node, latest, context, log);
  } catch (error) {
    if (!(error instanceof CommandStopped)) throw error;
    log.logger.info({ signal: error.signal }, error.message);
    return EXIT.ok;
  } finally {
    forgetStop();
    forgetReload();
    await log.close();
  }
}

/** Waits for a database that a command has open, which is brief, but not for one that another node has open. */
async function beginWhenFree(
  config: LoadedConfig,
  begin: () => Promise<RunningNode>,
  signal: AbortSignal,
): Promise<RunningNode> {
  try {
    return await begin();
  } catch (error) {
    if (!isEntglDbError(error, 'DATABASE_LOCKED')) throw error;
    // A node that does not answer may be stopping.
    const other = await findRunning(config.values['Persistence.DatabasePath'], signal).catch(() => undefined);
    if (other !== undefined) throw error;
    return untilFree(config, begin, signal);
  }
}

function flagsOf(options: StartArguments, { workingDirectory }: CliContext) {
  const wrong = options.peer?.find((peer) => parseAddress(peer) === undefined);
  if (wrong !== undefined)
    throw new ConfigurationError(
      'USAGE',
      `--peer ${wrong} is no address; give host:port, as in 192.168.1.20:5000 or [fe80::1%eth0]:5000`,
    );
  const flags = [
    { flag: '--node-id', key: 'NodeId', value: options.nodeId },
    { flag: '--tcp-port', key: 'Network.TcpPort', value: options.tcpPort },
    { flag: '--udp-port', key: 'Network.UdpPort', value: options.udpPort },
    { flag: '--http-port', key: 'Http.Port', value: options.httpPort },
    { flag: '--peer', key: 'Network.KnownPeers', value: options.peer },
    { flag: '--no-discovery', key: 'Network.EnableDiscovery', value: options.discovery === false ? false : undefined },
    {
      flag: '--token-file',
      key: 'Network.AuthTokenFile',
      // A path from the command line is relative to the working directory, not to the configuration file.
      value: options.tokenFile === undefined ? undefined : resolve(workingDirectory, options.tokenFile),
    },
  ];
  return flags.filter(({ value }) => value !== undefined);
}

function openNodeLog({ stderr }: CliContext, { values }: LoadedConfig, tokens: Tokens): Promise<OpenLogger> {
  const path = values['Logging.LogFilePath'];
  const fileBytesMax = values['Logging.MaxLogFileSizeMb'] * 1024 * 1024;
  return openLogger({
    levels: values['Logging.LogLevel'],
    output: stderr,
    file: path === null ? null : { path, fileBytesMax, filesMax: values['Logging.MaxLogFiles'] },
    secrets: secretsOf(tokens),
  });
}

/** A hanging stop must not keep the machine from shutting down. Acknowledged writes are on disk either way. */
async function closeInTime(
  node: RunningNode,
  config: LoadedConfig,
  { clock }: CliContext,
  log: OpenLogger,
): Promise<ExitCode> {
  const timeoutMs = config.values['Health.ShutdownTimeoutMs'];
  let cancel = (): void => {};
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.setTimer(timeoutMs, () => resolve(false));
  });
  const inTime = await Promise.race([node.close().then(() => true), late]);
  cancel();
  if (inTime) log.logger.info({}, 'stopped');
  else log.logger.error({ timeoutMs }, 'stopping took too long; ended anyway');
  return inTime ? EXIT.ok : EXIT.unreachable;
}

function readyValue(node: RunningNode, { dataDirectory }: LoadedConfig): object {
  const { nodeId, pid } = node.status();
  return { nodeId, pid, ...node.address(), dataDirectory };
}

function readyText(node: RunningNode, { dataDirectory }: LoadedConfig): string {
  const { tcp, udp, http } = node.address();
  const parts = [
    tcp === null ? 'sync off' : `sync tcp ${formatAddress(tcp)}`,
    udp === null ? 'discovery off' : `discovery udp ${udp.port}`,
    http === null ? 'http off' : urlOf(http),
    `data ${dataDirectory}`,
  ];
  return `Node ${node.status().nodeId} is ready: ${parts.join(', ')}`;
}
