import { spawn } from 'node:child_process';

export interface ProgramResult {
  readonly status: number | NodeJS.Signals | null;
  readonly output: string;
}

/** Runs a program to its end, or kills it after `deadlineMs`. */
export function runProgram(
  command: string,
  args: readonly string[],
  { cwd, deadlineMs }: { readonly cwd: string; readonly deadlineMs: number },
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const note = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    child.on('error', (error) => note(Buffer.from(`${error.message}\n`)));
    child.on('close', (code, signal) => resolve({ status: code ?? signal, output }));
  });
}
