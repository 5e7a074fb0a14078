import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, afterEach, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OpenNode } from '../node-api.ts';
import { openNode as openRealNode } from '../open-node.ts';
import { systemClock } from '../system-clock.ts';
import { systemRandom } from '../system-random.ts';
import type { CliContext } from './cli-context.ts';
import { runCli } from './run-cli.ts';

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a command reads: a text, or bytes as they come. */
type Stdin = string | AsyncIterable<Uint8Array>;

export interface Started {
  /** The first line on the standard output. */
  readonly ready: Promise<string>;
  readonly done: Promise<Result>;
  /** From then on, `stop` stops it. */
  readonly stoppable: Promise<void>;
  /** Default: SIGTERM. */
  stop(signal?: string): void;
}

/** For tests: runs command lines in this process, in a working directory of each test's own. */
export interface TestShell {
  /** Absolute path of the running test's working directory. */
  folder(): string;
  begin(args: readonly string[], stdin?: Stdin, openNode?: OpenNode): Started;
  cli(...args: string[]): Promise<Result>;
}

/** Keeps the tests apart from whatever else runs on this machine. */
const NO_FIXED_PORTS = {
  EntglDb__Network__TcpPort: '0',
  EntglDb__Network__UdpPort: '0',
  EntglDb__Http__Port: '0',
};

/** Registers hooks that create the folders and stop nodes left behind, so that a failed test keeps no process alive. */
export function createTestShell(): TestShell {
  let folder = tmpdir();
  const stops = new Set<() => void>();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'entgldb-cli-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  after(() => {
    for (const stop of stops) stop();
  });
  const begin: TestShell['begin'] = (args, stdin = '', openNode = openRealNode) => {
    const started = beginCommand(args, stdin, openNode, folder);
    stops.add(started.stop);
    void started.done.then(() => stops.delete(started.stop));
    return started;
  };
  return { folder: () => folder, begin, cli: (...args) => begin(args).done };
}

function beginCommand(args: readonly string[], stdin: Stdin, openNode: OpenNode, folder: string): Started {
  const [stdout, stderr] = [createCollector(), createCollector()];
  const listeners = new Set<(signal: string) => void>();
  const stoppable = Promise.withResolvers<void>();
  const stop = (signal = 'SIGTERM'): void => {
    for (const listener of [...listeners]) listener(signal);
  };
  const context: CliContext = {
    stdin: typeof stdin === 'string' ? PassThrough.from([Buffer.from(stdin)]) : stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    environment: NO_FIXED_PORTS,
    workingDirectory: folder,
    clock: systemClock,
    random: systemRandom,
    program: fileURLToPath(new URL('./main.ts', import.meta.url)),
    loadOpenNode: async () => openNode,
    onStopSignal: (listener) => {
      listeners.add(listener);
      stoppable.resolve();
      return () => listeners.delete(listener);
    },
    onReloadSignal: () => () => {},
  };
  const done = runCli(args, context, '1.2.3').then((code) => ({ code, out: stdout.text(), err: stderr.text() }));
  const ready = Promise.race([
    once(stdout.stream, 'data').then(([text]) => String(text)),
    done.then((result) => assert.fail(`ended with ${result.code}: ${result.err}`)),
  ]);
  // A caller that does not wait for `ready` must not get an unhandled rejection.
  ready.catch(() => {});
  return { ready, done, stoppable: stoppable.promise, stop };
}

function createCollector(): { readonly stream: PassThrough; text(): string } {
  const stream = new PassThrough({ encoding: 'utf8' });
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  return { stream, text: () => text };
}
