#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { packageVersion } from '../package-version.ts';
import { systemClock } from '../system-clock.ts';
import { systemRandom } from '../system-random.ts';
import type { CliContext } from './cli-context.ts';
import { runCli } from './run-cli.ts';
import { standardInput } from './standard-input.ts';

const context: CliContext = {
  stdin: standardInput,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  workingDirectory: process.cwd(),
  clock: systemClock,
  random: systemRandom,
  program: fileURLToPath(import.meta.url),
  loadOpenNode: async () => (await import('../open-node.ts')).openNode,
  onStopSignal,
  onReloadSignal,
};

/** The first signal stops gracefully and removes the handlers, so that a second one ends the process as usual. */
function onStopSignal(listener: (signal: string) => void): () => void {
  const forget = (): void => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
  const handle = (signal: string): void => {
    forget();
    listener(signal);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return forget;
}

/** At a terminal, and always on Windows, SIGHUP means that the window was closed: it ends the process as usual. */
function onReloadSignal(listener: () => void): () => void {
  if (process.stdin.isTTY || process.platform === 'win32') return () => {};
  process.on('SIGHUP', listener);
  return () => process.off('SIGHUP', listener);
}

// What could not be written is noticed where it is written (createOutput).
process.stdout.on('error', () => {});
// A node goes on without its log: it must not stop because a terminal was closed, or the disk that holds the log is full.
process.stderr.on('error', () => {});

const code = await runCli(process.argv.slice(2), context, packageVersion());
// Waits until the last answer has reached a slow reader.
process.stdout.write('', () => process.exit(code));
