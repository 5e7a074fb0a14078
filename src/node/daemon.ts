import type { Clock } from '../core/clock/index.ts';
import type { Random } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import type { Address } from '../net/index.ts';
import { createToken, type LoadedConfig, type Tokens } from './config/index.ts';
import { type HttpServer, startHttpServer } from './http/index.ts';
import type { OpenNode, RunningNode } from './node-api.ts';
import { keepNodeFile } from './node-file.ts';

export interface DaemonDeps {
  readonly openNode: OpenNode;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Abandons the start, leaving nothing open. Once the node runs, it means nothing. */
  readonly signal: AbortSignal;
}

/** Starts a node with its HTTP server, and writes the file by which commands find it. Rejects as opening either of them does. */
export async function startDaemon(config: LoadedConfig, tokens: Tokens, deps: DaemonDeps): Promise<RunningNode> {
  const { logger, signal } = deps;
  const node = await deps.openNode({ config, clusterTokens: tokens.cluster, logger, network: true, signal });
  const { 'Http.Enabled': isServed, 'Persistence.DatabasePath': databasePath } = config.values;
  if (!isServed) return node;
  const startSecret = createToken(deps.random);
  let server: HttpServer | undefined;
  let removeFile = async (): Promise<void> => {};
  const served = withHttp(node, () => server!.address);
  /** Closes whatever has been started. Whatever fails on the way, the database is closed in order. */
  const close = async (): Promise<void> => {
    await removeFile().catch((error: unknown) => {
      logger.warn({ err: error }, 'the file by which commands find this node could not be removed');
    });
    try {
      await server?.close();
    } finally {
      await node.close();
    }
  };
  try {
    server = await startHttp(served, config, tokens, startSecret, deps);
    const { nodeId, pid } = node.status();
    const content = { pid, nodeId, url: urlOf(server.address), secret: startSecret };
    removeFile = await keepNodeFile(databasePath, content, deps);
    return { ...served, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startHttp(
  node: RunningNode,
  { values, limits }: LoadedConfig,
  tokens: Tokens,
  startSecret: string,
  { clock, logger }: DaemonDeps,
): Promise<HttpServer> {
  const options = { host: values['Http.Host'], port: values['Http.Port'], token: tokens.http, startSecret, limits };
  return startHttpServer(options, { node, clock, logger: logger.child({ category: 'EntglDb.Http' }) });
}

/** The same node, with the HTTP server among its addresses. */
function withHttp(node: RunningNode, http: () => Address): RunningNode {
  const address = () => ({ ...node.address(), http: http() });
  return { ...node, address, status: () => ({ ...node.status(), address: address() }) };
}

/** A URL to which a command on this machine can connect. An unspecified address includes loopback. */
export function urlOf({ host, port }: Address): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
