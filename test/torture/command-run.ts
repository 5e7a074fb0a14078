/** Runs a command in a process under strace, or again in this process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runCli } from '../../src/node/cli/run-cli.ts';
import { openNode } from '../../src/node/open-node.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { systemRandom } from '../../src/node/system-random.ts';
import { DISK_CALLS } from './strace.ts';
import { spread } from './suite.ts';

/** Built if the suites are, otherwise the source. */
const SUFFIX = extname(import.meta.url);
export const COMMAND = fileURLToPath(
  new URL(SUFFIX === '.ts' ? '../../src/node/cli/main.ts' : './command.js', import.meta.url),
);
const COMMAND_MS_MAX = 60_000;

export interface CommandEnd {
  /** As a shell has it: 128 and the number of the signal that ended it. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandRun {
  readonly folder: string;
  readonly args: readonly string[];
  /** Gets SIGTERM after its first line. */
  readonly isService: boolean;
}

/** The thread pool has one thread, so that calls are counted in order. */
const ENVIRONMENT = { UV_THREADPOOL_SIZE: '1', NODE_NO_WARNINGS: '1', NODE_DISABLE_COMPILE_CACHE: '1' };

/** Runs the command under strace with these arguments. */
export async function runTraced(
  { folder, args, isService }: CommandRun,
  straceArgs: readonly string[],
): Promise<CommandEnd> {
  const child = spawn('strace', [...straceArgs, process.execPath, COMMAND, ...args, '--json'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: COMMAND_MS_MAX,
    killSignal: 'SIGKILL',
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (isService && out.includes('\n')) stopService(out);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code: code ?? 128 + NUMBERS[signal!]!, out, err };
}

const NUMBERS: Partial<Record<NodeJS.Signals, number>> = {
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
  SIGABRT: 6,
  SIGSEGV: 11,
};

/** strace does not pass signals on, so the process itself is asked. */
function stopService(out: string): void {
  const { pid } = JSON.parse(out.slice(0, out.indexOf('\n'))) as { pid: number };
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It is gone already.
  }
}

/** Runs the command in this process, where nothing fails. */
export async function runAgain({ folder, args, isService }: CommandRun): Promise<CommandEnd> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let [out, err] = ['', ''];
  let stop = (_signal: string): void => {};
  stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (isService) stop('SIGTERM');
  });
  stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await runCli(
    [...args, '--json'],
    {
      stdin: PassThrough.from([]),
      ...{ stdout, stderr, environment: {}, workingDirectory: folder, clock: systemClock, random: systemRandom },
      program: COMMAND,
      loadOpenNode: async () => openNode,
      onStopSignal: (listener) => {
        stop = listener;
        return () => {};
      },
      onReloadSignal: () => () => {},
    },
    '0.0.0',
  );
  return { code, out, err };
}

/** Calls on descriptors of files that are known by path; others are never pipes or events. */
const BY_PATH = ['write', 'openat'] as const;
const CALLS = [...DISK_CALLS, 'mkdir'] as const;

/** So many of a kind are tried: a checkpoint writes hundreds of pages, and a sync must not be lost among them. */
const SAME_MAX = 12;

/** A call of a command that changes the disk. */
export interface DiskCall {
  readonly call: string;
  /** If the call is counted only on this path. */
  readonly path: string | null;
  readonly nth: number;
}

/** All of them, and of many equal ones only some, in no order, as one undisturbed run makes them. */
export async function diskCallsOf(run: CommandRun, logPath: string, seed: number): Promise<DiskCall[]> {
  const traced = [...BY_PATH, ...CALLS].join(',');
  await runTraced(run, ['-f', '-qq', '-y', '-s', '200', '--seccomp-bpf', '-e', `trace=${traced}`, '-o', logPath]);
  const byThread = new Map<string, number>();
  for (const line of readFileSync(logPath, 'utf8').split('\n')) {
    const [, thread, call = '', args = ''] = /^(\d+) +(\w+)\((.*)/.exec(line) ?? [];
    const path = (BY_PATH as readonly string[]).includes(call) ? pathOf(call, args, run.folder) : null;
    if (call === '' || path === undefined) continue;
    const key = JSON.stringify([call, path, thread]);
    byThread.set(key, (byThread.get(key) ?? 0) + 1);
  }
  const most = new Map<string, number>();
  for (const [key, count] of byThread) {
    const [call, path] = JSON.parse(key) as [string, string | null];
    const name = JSON.stringify([call, path]);
    most.set(name, Math.max(count, most.get(name) ?? 0));
  }
  return [...most].flatMap(([name, count]) => {
    const [call, path] = JSON.parse(name) as [string, string | null];
    const all = Array.from({ length: count }, (_, i) => ({ call, path, nth: i + 1 }));
    return spread(all, SAME_MAX, seed);
  });
}

/** Undefined if it is no file of the folder, or one whose name is another one each time. */
function pathOf(call: string, args: string, folder: string): string | undefined {
  if (call === 'openat' && !args.includes('O_CREAT')) return undefined;
  const path =
    /^\d+<([^>]*)>/.exec(call === 'write' ? args : '')?.[1] ?? /"([^"]*)"/.exec(call === 'openat' ? args : '')?.[1];
  if (path === undefined || !path.startsWith(`${folder}/`)) return undefined;
  return /[0-9a-f]{8}-[0-9a-f]{4}|\d{5}/.test(path.slice(folder.length)) ? undefined : path;
}

/** strace counts per thread: the first thread to reach `nth` is hit. Without seccomp, under which strace 6.1 injects no signals. */
export function injectionAt({ call, path, nth }: DiskCall, what: string): string[] {
  const only = path === null ? [] : ['-P', path];
  return [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-s',
    '0',
    ...only,
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:${what}:when=${nth}`,
  ];
}
