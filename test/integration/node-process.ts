/** Real nodes for tests: `entgldb start` in processes of their own, and how to talk to them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { HealthReport } from '../../src/diagnostics/index.ts';
import type { Address } from '../../src/net/index.ts';
import { HttpClient, readAll } from '../../src/node/cli/http-client.ts';
import type { DocumentAccess } from '../../src/node/cli/node-target.ts';
import { createRemoteCollection } from '../../src/node/cli/remote-collection.ts';
import type { PeerStatus } from '../../src/node/network/index.ts';
import type { NodeStatus } from '../../src/node/node-api.ts';
import { readNodeFile } from '../../src/node/node-file.ts';
import { atEnd, type Scope } from './cleanup.ts';
import { nowMs, queuedMs, runningMs } from './running-time.ts';

const MAIN = fileURLToPath(new URL('../../src/node/cli/main.ts', import.meta.url));

/** Multiplies the counts of long tests; `npm run torture` raises it. */
export const SCALE: number = Math.max(1, Number(process.env.ENTGLDB_TEST_SCALE ?? 1));

/** A test that takes this long hangs. That is no claim: a build machine may be many times slower than ours. */
export const HUNG_MS: number = 300_000 * SCALE;

const POLL_MS = 20;
/** What a start, a stop or an answer may take where that is no claim: a machine may stand still for seconds. */
export const PATIENCE_MS = 60_000;
const LOG_LINES_MAX = 20_000;
const LOG_LINES_SHOWN = 15;

/** What `start --json` prints once the node is ready. */
export interface Ready {
  readonly nodeId: string;
  readonly pid: number;
  readonly tcp: Address | null;
  readonly udp: Address | null;
  readonly http: Address | null;
}

export interface StartOptions {
  /** The data directory. */
  readonly folder: string;
  readonly name: string;
  /** File with the cluster token; undefined: none. */
  readonly tokenFile?: string | undefined;
  /** Default: 0. */
  readonly tcpPort?: number;
  /** Undefined: no discovery. */
  readonly udpPort?: number | undefined;
  readonly peers?: readonly string[];
  /** Written as the `EntglDb` section of the settings file before the start. */
  readonly settings?: object;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words put before the command, such as `ip netns exec …`. */
  readonly wrapper?: readonly string[];
}

export interface RunResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A folder for this test, removed afterwards. */
export async function makeFolder(t: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-e2e-'));
  atEnd(t, () => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export async function writeToken(
  folder: string,
  token = 'a token that only these nodes know, 0123456789',
): Promise<string> {
  const path = join(folder, `token-${token.length}-${Buffer.from(token).toString('hex').slice(-8)}`);
  await writeFile(path, token, { mode: 0o600 });
  return path;
}

/** Runs one command to its end. */
export async function runCommand(
  args: readonly string[],
  options: { readonly cwd?: string; readonly wrapper?: readonly string[] } = {},
): Promise<RunResult> {
  const [command, ...rest] = [...(options.wrapper ?? []), process.execPath, MAIN, ...args] as [string, ...string[]];
  const child = spawn(command, rest, {
    cwd: options.cwd ?? tmpdir(),
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** What `NodeProcess.start` has made. */
interface Started extends Pick<NodeProcess, 'folder' | 'client' | 'ready' | 'log' | 'startMs'> {
  readonly child: ChildProcess;
  readonly agent: Agent;
}

/** One process of `entgldb start`. */
export class NodeProcess {
  readonly ready: Ready;
  /** Its data directory. */
  readonly folder: string;
  /** Milliseconds (`runningMs`) until it said that it was ready, without those in which it waited for a processor. */
  readonly startMs: number;
  /** Lines of its log, parsed. */
  readonly log: readonly Record<string, unknown>[];
  readonly client: HttpClient;
  readonly #child: ChildProcess;
  readonly #agent: Agent;

  /** Starts a node, which ends with the test at the latest. If it does not become ready, rejects with the end of its log. */
  static async start(t: Scope, options: StartOptions): Promise<NodeProcess> {
    await mkdir(options.folder, { recursive: true });
    if (options.settings !== undefined)
      await writeFile(join(options.folder, 'appsettings.json'), JSON.stringify({ EntglDb: options.settings }));
    const startedAt = nowMs();
    const child = spawnStart(options);
    atEnd(t, () => endProcess(child, 'SIGKILL'));
    const log = collectLog(child);
    const exit = once(child, 'exit').then(() => undefined);
    const line = await Promise.race([once(createInterface(child.stdout!), 'line'), exit]);
    const file = line === undefined ? undefined : await readNodeFile(join(options.folder, 'entgldb.db'));
    if (line === undefined || file === undefined)
      throw new Error(
        `${options.name} did not start (exit ${child.exitCode}): ${JSON.stringify(log.slice(-LOG_LINES_SHOWN))}`,
      );
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    return new NodeProcess({
      folder: options.folder,
      child,
      agent,
      client: new HttpClient(file.url, file.secret, { agent, answerMsMax: PATIENCE_MS }),
      ready: JSON.parse(line[0]) as Ready,
      log,
      startMs: runningMs(startedAt) - queuedMs(child.pid!),
    });
  }

  /** Starts a node and kills it after this time, ready or not. */
  static async startAndKill(t: Scope, options: StartOptions, afterMs: number): Promise<void> {
    const child = spawnStart(options);
    atEnd(t, () => endProcess(child, 'SIGKILL'));
    child.stdout!.resume();
    child.stderr!.resume();
    await pause(afterMs);
    await endProcess(child, 'SIGKILL');
  }

  private constructor({ child, agent, ...started }: Started) {
    this.#child = child;
    this.#agent = agent;
    this.folder = started.folder;
    this.client = started.client;
    this.ready = started.ready;
    this.log = started.log;
    this.startMs = started.startMs;
  }

  get pid(): number {
    return this.ready.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** `host:port` at which its peers reach it from this machine. */
  get address(): string {
    return `127.0.0.1:${this.ready.tcp!.port}`;
  }

  collection(name: string): DocumentAccess {
    return createRemoteCollection(this.client, name);
  }

  async status(): Promise<NodeStatus> {
    return (await this.client.json({ method: 'GET', path: '/api/v1/status' })) as NodeStatus;
  }

  /** The answer of `GET /health`, whether healthy or not. */
  async health(): Promise<HealthReport> {
    const response = await this.client.open({ method: 'GET', path: '/health' }, [503]);
    return JSON.parse(await readAll(response)) as HealthReport;
  }

  async peers(): Promise<readonly PeerStatus[]> {
    return ((await this.client.json({ method: 'GET', path: '/api/v1/peers' })) as { peers: PeerStatus[] }).peers;
  }

  async setNetworkPaused(paused: boolean): Promise<void> {
    await this.client.json({ method: 'POST', path: '/api/v1/network', body: JSON.stringify({ paused }) });
  }

  /** The lines of its log whose JSON contains this text. */
  logged(part: string): Record<string, unknown>[] {
    return this.log.filter((line) => JSON.stringify(line).includes(part));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends SIGKILL. Resolves when the process is gone. */
  kill(): Promise<unknown> {
    this.#agent.destroy();
    return endProcess(this.#child, 'SIGKILL');
  }

  /** Sends SIGTERM. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    await endProcess(this.#child, 'SIGTERM');
    this.#agent.destroy();
    return this.#child.exitCode;
  }
}

/** Runs a start that is expected to fail, to its end; kills it after a minute. */
export async function runStart(options: StartOptions): Promise<RunResult> {
  await mkdir(options.folder, { recursive: true });
  const child = spawnStart(options);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  let [out, err] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, out, err };
}

/** Polls until `claim` holds. Resolves with the time it took (`runningMs`); rejects with `what` after `msMax`. Default: 30 s. */
export async function eventually(
  what: string,
  claim: () => Promise<boolean> | boolean,
  msMax = 30_000,
): Promise<number> {
  const startedAt = nowMs();
  for (;;) {
    if (await claim()) return runningMs(startedAt);
    if (runningMs(startedAt) > msMax) throw new Error(`not within ${msMax} ms: ${what}`);
    await pause(POLL_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * A TCP port for a node that is to have the same one again after a restart. It is none of those that systems give to whoever asks
 * for any, in particular to each outgoing connection: they would give it away while the node is off.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(20_000, 32_000), '127.0.0.1');
    try {
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    } finally {
      if (server.listening) await server[Symbol.asyncDispose]();
    }
  }
}

/** A UDP port that nothing listens on at this moment. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Whether the nodes hold the same versions of the same documents in all collections. */
export async function areEqual(nodes: readonly NodeProcess[]): Promise<boolean> {
  const texts = await Promise.all(nodes.map(async (node) => describe(await node.status())));
  return texts.every((text) => text === texts[0]);
}

function describe({ collections }: NodeStatus): string {
  return collections
    .filter(({ documents }) => documents > 0)
    .map(({ name, documents, fingerprint }) => `${name} ${documents} ${fingerprint}`)
    .sort()
    .join('\n');
}

/** Environment of a node whose wall clock is ahead by `shiftMs`. To change it, call this again and send the node SIGUSR2. */
export function shiftedClock(folder: string, shiftMs: number): Readonly<Record<string, string>> {
  const preload = new URL('shifted-clock.ts', import.meta.url).href;
  const file = join(folder, 'clock-shift');
  writeFileSync(file, String(shiftMs));
  return { NODE_OPTIONS: `--import ${preload}`, ENTGLDB_TEST_CLOCK_FILE: file };
}

/** How many sockets a process has open, listening ones included. Linux only. */
export function countSockets(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  const targetOf = (name: string): string => {
    try {
      return readlinkSync(join(folder, name));
    } catch {
      // Closed since the folder was read.
      return '';
    }
  };
  return readdirSync(folder).filter((name) => targetOf(name).startsWith('socket:')).length;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

function spawnStart(options: StartOptions): ChildProcess {
  const { folder, name, tokenFile, tcpPort = 0, udpPort, peers = [], wrapper = [] } = options;
  const args = [
    'start',
    '--data',
    folder,
    '--node-id',
    name,
    '--tcp-port',
    String(tcpPort),
    '--http-port',
    '0',
    '--json',
  ];
  if (tokenFile !== undefined) args.push('--token-file', tokenFile);
  args.push(...(udpPort === undefined ? ['--no-discovery'] : ['--udp-port', String(udpPort)]));
  for (const peer of peers) args.push('--peer', peer);
  const [command, ...rest] = [...wrapper, process.execPath, MAIN, ...args] as [string, ...string[]];
  return spawn(command, rest, {
    cwd: tmpdir(),
    env: { ...environment(), EntglDb__Health__ShutdownTimeoutMs: String(PATIENCE_MS), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** This process's environment without settings that somebody made for a real node on this machine. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(entgldb|logging)__/i.test(name)));
}

function collectLog(child: ChildProcess): Record<string, unknown>[] {
  const log: Record<string, unknown>[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    log.push(parseLine(line));
    if (log.length > LOG_LINES_MAX) log.shift();
  });
  return log;
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // A process that dies may print plain text.
    return { msg: line };
  }
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
