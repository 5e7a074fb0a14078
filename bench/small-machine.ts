import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const HEAP_MIB = 256;
/** The processes run for `RUN_MS` of each period, a quarter of it. */
const PERIOD_MS = 20;
const RUN_MS = 5;

const INSIDE = 'ENTGLDB_BENCH_SMALL';

/** Whether this process already runs on the small machine. */
export function isInside(): boolean {
  return process.env[INSIDE] !== undefined;
}

/**
 * Runs this program again as on a small machine: one core at a quarter of its speed, and a small heap for every process. To
 * slow them down, all its processes together are stopped and continued many times a second, which needs no privileges.
 * Without `taskset`, the processes share all cores. Resolves with the exit code.
 */
export async function runOnSmallMachine(args: readonly string[]): Promise<number> {
  if (process.platform === 'win32')
    throw new Error('Windows cannot stop processes and let them go on; use another system');
  const command = [process.execPath, ...process.execArgv, ...args];
  const [program = '', ...rest] = hasTaskset() ? ['taskset', '-c', '0', ...command] : command;
  const child = spawn(program, rest, {
    stdio: 'inherit',
    detached: true, // a process group of its own: signals reach all that it starts
    env: { ...process.env, [INSIDE]: '1', NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` },
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const signalAll = (signal: NodeJS.Signals): boolean => {
    try {
      return process.kill(-child.pid!, signal);
    } catch {
      return false; // it has ended
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      signalAll('SIGKILL');
      process.exit(1);
    });
  while (child.exitCode === null && child.signalCode === null) {
    await sleep(RUN_MS);
    signalAll('SIGSTOP');
    await sleep(PERIOD_MS - RUN_MS);
    signalAll('SIGCONT');
  }
  const [code] = await exited;
  return code ?? 1;
}

function hasTaskset(): boolean {
  return spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;
}
