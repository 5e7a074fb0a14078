import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Clock, withDeadline } from '../../../core/clock/index.ts';
import { NetworkError } from '../../../core/errors/index.ts';
import type { Conflict } from '../../../database/index.ts';
import type { PeerStatus } from '../../network/index.ts';
import type { NodeStatus } from '../../node-api.ts';
import { readNodeFile } from '../../node-file.ts';
import { HttpClient } from '../http-client.ts';
import type { DocumentAccess } from '../node-target.ts';
import { createRemoteCollection } from '../remote-collection.ts';

/** Most connections that the demo keeps to one node. */
const CONNECTIONS_MAX = 16;
/** A node that does not stop when asked is killed after this time. */
const STOP_MS = 3000;
/** Generous, because three nodes at full speed may leave a busy machine little time to answer. */
const ANSWER_MS_MAX = 30_000;
const LOG_LINES_SHOWN = 8;

export interface DemoNodeOptions {
  readonly name: string;
  /** Holds its `appsettings.json`. */
  readonly folder: string;
  /** File of the command `entgldb`. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Once aborted, no process is started any more. */
  readonly signal: AbortSignal;
}

/** One `entgldb start` in a process of its own, and its HTTP client. */
export class DemoNode {
  readonly name: string;
  readonly #options: DemoNodeOptions;
  #child: ChildProcess | undefined;
  #agent: Agent | undefined;
  #client: HttpClient | undefined;

  constructor(options: DemoNodeOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** True from a completed start until it is stopped or killed. */
  get isRunning(): boolean {
    return this.#client !== undefined;
  }

  get client(): HttpClient {
    if (this.#client === undefined) throw new NetworkError('NODE_UNREACHABLE', `${this.name} is not running`);
    return this.#client;
  }

  /** Resolves when the node is ready. Rejects with NODE_UNREACHABLE if it ends before that. */
  async start(): Promise<void> {
    const { folder, program, environment, signal } = this.#options;
    const command = [program, 'start', '--data', folder, '--node-id', this.name, '--json'];
    const log = await open(this.#logPath, 'a');
    let child: ChildProcess;
    try {
      signal.throwIfAborted();
      child = spawn(process.execPath, ['--import', END_WITH_PARENT, ...command], {
        cwd: folder,
        env: environment,
        // A group of its own: Ctrl+C reaches the demo alone, which then stops its nodes in good order.
        detached: true,
        windowsHide: true,
        stdio: ['ignore', 'pipe', log.fd, 'ipc'],
      });
    } finally {
      await log.close();
    }
    this.#child = child;
    const exit = once(child, 'exit').then(() => undefined);
    const ready = await Promise.race([once(createInterface(child.stdout!), 'line'), exit]);
    const file = ready === undefined ? undefined : await readNodeFile(join(folder, 'entgldb.db'));
    if (file === undefined) throw new NetworkError('NODE_UNREACHABLE', `${this.name} did not start`);
    this.#agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
    this.#client = new HttpClient(file.url, file.secret, { agent: this.#agent, answerMsMax: ANSWER_MS_MAX });
  }

  collection(name: string): DocumentAccess {
    return createRemoteCollection(this.client, name);
  }

  async status(): Promise<NodeStatus> {
    return (await this.client.json({ method: 'GET', path: '/api/v1/status' })) as NodeStatus;
  }

  async peers(): Promise<readonly PeerStatus[]> {
    const answer = await this.client.json({ method: 'GET', path: '/api/v1/peers' });
    return (answer as { peers: PeerStatus[] }).peers;
  }

  /** The newest entries of its conflict ledger. */
  async conflicts(collection: string): Promise<readonly Conflict[]> {
    const path = `/api/v1/conflicts?limit=1000&collection=${encodeURIComponent(collection)}`;
    return ((await this.client.json({ method: 'GET', path })) as { conflicts: Conflict[] }).conflicts;
  }

  async setNetworkPaused(paused: boolean): Promise<void> {
    await this.client.json({ method: 'POST', path: '/api/v1/network', body: JSON.stringify({ paused }) });
  }

  /** Kills the process without warning. Resolves when it is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Kills the process without waiting, for a demo that is ending itself. */
  killNow(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Asks the process to stop, kills it if it does not, and resolves when it is gone. */
  async stop(): Promise<void> {
    const late = (): Error => new Error(`${this.name} does not stop`);
    await withDeadline(this.#options.clock, STOP_MS, () => this.#end('SIGTERM'), late).catch(() => this.kill());
  }

  /** The last lines of its log, shown when something went wrong. */
  async logEnd(): Promise<string> {
    const text = await readFile(this.#logPath, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
  }

  get #logPath(): string {
    return join(this.#options.folder, 'log.ndjson');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#client = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
    this.#agent?.destroy();
  }
}

/** Loaded into each node before anything else. */
const END_WITH_PARENT = new URL(`./end-with-parent${extname(import.meta.url)}`, import.meta.url).href;
