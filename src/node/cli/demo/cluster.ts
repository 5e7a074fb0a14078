import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../../core/clock/index.ts';
import { createToken } from '../../config/index.ts';
import type { NodeStatus } from '../../node-api.ts';
import type { CliContext } from '../cli-context.ts';
import { DemoNode } from './demo-node.ts';

/** The office, and two tills. */
export const NODE_NAMES = ['office', 'till-1', 'till-2'] as const;
const POLL_MS = 25;

/** The three nodes of the demo, in a temporary folder. */
export interface Cluster {
  readonly nodes: readonly [office: DemoNode, till1: DemoNode, till2: DemoNode];
  readonly clock: CliContext['clock'];
  /** Aborts when the demo must end early. */
  readonly signal: AbortSignal;
  /** Ends all processes and removes the folder. */
  remove(): Promise<void>;
}

/** Creates folders and settings; starts nothing yet. The nodes can be reached from this machine only. */
export async function createCluster(context: CliContext, signal: AbortSignal): Promise<Cluster> {
  const { clock, program } = context;
  const root = await mkdtemp(join(tmpdir(), 'entgldb-demo-'));
  await writeFile(join(root, 'token'), createToken(context.random), { mode: 0o600 });
  const settings = JSON.stringify(settingsOf(await findUdpPort()), null, 2);
  const environment = withoutSettings(context.environment);
  const create = async (name: string): Promise<DemoNode> => {
    const folder = join(root, name);
    await mkdir(folder);
    await writeFile(join(folder, 'appsettings.json'), settings);
    return new DemoNode({ name, folder, program, environment, clock, signal });
  };
  const [office, till1, till2] = [await create('office'), await create('till-1'), await create('till-2')];
  const nodes = [office, till1, till2] as const;
  // For an end of the process that waits for nothing, for example because the reader of its output has gone.
  const removeNow = (): void => {
    for (const node of nodes) node.killNow();
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', removeNow);
  const remove = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(root, { recursive: true, maxRetries: 3 });
    process.off('exit', removeNow);
  };
  return { nodes, clock, signal, remove };
}

function settingsOf(udpPort: number): object {
  return {
    EntglDb: {
      Network: { LocalhostOnly: true, TcpPort: 0, UdpPort: udpPort, AuthTokenFile: '../token' },
      Sync: { ConflictResolver: 'merge' },
      Http: { Port: 0 },
    },
  };
}

/** A port that nobody uses for discovery, so that the demo meets no other cluster of this machine. */
async function findUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Settings that the user has made for a real node must not reach the nodes of the demo. */
function withoutSettings(environment: CliContext['environment']): CliContext['environment'] {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(entgldb|logging)__/i.test(name)));
}

/** Polls all nodes until their statuses pass; resolves with the time that took, ms. */
export async function waitUntil(
  { nodes: [office, ...tills], clock, signal }: Cluster,
  passes: (statuses: readonly NodeStatus[]) => boolean,
  pollMs: number = POLL_MS,
): Promise<number> {
  const startMs = clock.monotonic();
  for (;;) {
    // The office last: so its status is never older than those of the nodes that receive its writes.
    const others = await Promise.all(tills.map((node) => node.status()));
    if (passes([await office.status(), ...others])) return clock.monotonic() - startMs;
    await sleep(clock, pollMs, signal);
  }
}

/** Whether all nodes hold the same collections with the same versions of the same documents. */
export function areEqual(statuses: readonly NodeStatus[]): boolean {
  const [first, ...rest] = statuses.map(describe);
  return rest.every((text) => text === first);
}

function describe({ collections }: NodeStatus): string {
  const lines = collections.map(({ name, documents, fingerprint }) => `${name} ${documents} ${fingerprint}`);
  return lines.sort().join('\n');
}

export function documentsOf({ collections }: NodeStatus): number {
  return collections.reduce((sum, { documents }) => sum + documents, 0);
}

export function isMeshed(statuses: readonly NodeStatus[]): boolean {
  return statuses.every(({ connectedPeers }) => connectedPeers === statuses.length - 1);
}
