import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../core/clock/index.ts';
import { LIMITS } from '../../core/config/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { loadConfig } from '../config/index.ts';
import type { RunningNode } from '../node-api.ts';
import { openNode } from '../open-node.ts';
import { systemClock } from '../system-clock.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './index.ts';

/** For tests: on a free loopback port, for anybody on this machine. */
export const TEST_OPTIONS: HttpServerOptions = {
  host: '127.0.0.1',
  port: 0,
  token: null,
  startSecret: 'the secret of this start',
  limits: LIMITS,
};

export interface TestServer {
  /** Holds the database of the node. */
  readonly folder: string;
  readonly node: RunningNode;
  readonly server: HttpServer;
  readonly url: string;
  /** Ends both, and removes the folder. */
  close(): Promise<void>;
}

interface TestServerOptions {
  /** Of the server. Default: that of the system. */
  readonly clock?: Clock;
  /** Of the server. Default: silent. */
  readonly logger?: Logger;
}

/** For tests: a server over a real node without a network. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = systemClock, logger = silentLogger } = options;
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-http-'));
  const config = await loadConfig({ workingDirectory: folder, environment: {} });
  const node = await openNode({ config, clusterTokens: [], logger: silentLogger, network: false });
  const server = await startHttpServer(TEST_OPTIONS, { node, clock, logger });
  return {
    folder,
    node,
    server,
    url: `http://127.0.0.1:${server.address.port}`,
    close: async () => {
      await server.close();
      await node.close();
      await rm(folder, { recursive: true });
    },
  };
}
