/** Runs the scripted life under strace, which records its system calls, kills it at one of them, or makes one fail. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Line, parseLines } from './ledger.ts';

/** Built if the suites are, otherwise a source. */
const LIFE_MS_MAX = 300_000;
const LIFE = fileURLToPath(new URL(`./life${extname(import.meta.url)}`, import.meta.url));

/** Calls that change what is on the disk, or make it durable. */
export const DISK_CALLS = [
  'pwrite64',
  'fsync',
  'fdatasync',
  'ftruncate',
  'rename',
  'link',
  'unlink',
  'copy_file_range',
] as const;

export interface LifeRun {
  readonly folder: string;
  /** `host:port` of the peer to sync with; `-`: none. */
  readonly peer?: string;
  readonly durability?: 'full' | 'normal';
  readonly stages: readonly string[];
}

export interface LifeEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly Line[];
  readonly stderr: string;
}

/** Why the suites cannot run here; null if they can. */
export function straceProblem(): string | null {
  if (process.platform !== 'linux') return 'strace runs on Linux only';
  const probe = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync', 'true'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (probe.error !== undefined) return 'strace is not installed';
  return probe.status === 0 ? null : `strace may not trace here: ${probe.stderr.trim().split('\n')[0]}`;
}

/**
 * Runs the life under strace with these arguments. The thread pool has one thread, so that calls are counted in order. The
 * compile cache is off, because its files are not the life's own.
 */
export async function runLife(life: LifeRun, args: readonly string[]): Promise<LifeEnd> {
  const { folder, peer = '-', durability = 'full', stages } = life;
  const command = [process.execPath, LIFE, folder, peer, durability, stages.join(',')];
  const child = spawn('strace', [...args, ...command], {
    cwd: folder,
    env: { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_NO_WARNINGS: '1', NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIFE_MS_MAX,
    killSignal: 'SIGTERM',
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, lines: parseLines(out), stderr: err };
}

/** For each call, how often it is made by the thread that makes it most. */
export async function countCalls(life: LifeRun, logPath: string): Promise<Map<string, number>> {
  const args = ['-f', '-qq', '--seccomp-bpf', '-e', `trace=${DISK_CALLS.join(',')}`, '-s', '0', '-o', logPath];
  await runLife(life, args);
  const byThread = new Map<string, number>();
  for (const line of (await readFile(logPath, 'utf8')).split('\n')) {
    const [, thread, call] = line.match(/^(\d+) +(\w+)\(/) ?? [];
    if (call !== undefined) byThread.set(`${call} ${thread}`, (byThread.get(`${call} ${thread}`) ?? 0) + 1);
  }
  const most = new Map<string, number>();
  for (const [name, count] of byThread) {
    const call = name.split(' ')[0]!;
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return most;
}

/**
 * Arguments of strace that inject `what`, such as `signal=KILL` or `error=EIO`, at the `nth` such call. strace counts per
 * thread: the first thread to reach `nth` is hit. Without seccomp, under which strace 6.1 injects no signals.
 */
export function injection(call: string, what: string, nth: number): string[] {
  const args = ['-f', '-qq', '-o', '/dev/null', '-s', '0'];
  return [...args, '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${nth}`];
}
