#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { packageVersion } from '../package-version.ts';
import { systemClock } from '../system-clock.ts';
import { systemRandom } from '../system-random.ts';
import type { CliContext } from './cli-context.ts';
import { ignoreClosedPipe } from './output.ts';
import { runCli } from './run-cli.ts';

const context: CliContext = {
  stdin: process.stdin,
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
  goOnUnread: () => void process.stdout.off('error', endUnread).on('error', ignoreClosedPipe),
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

/** A reader may stop reading, as in `entgldb export users | head`. That is no error: the program ends silently. */
function endUnread(error: NodeJS.ErrnoException): void {
  ignoreClosedPipe(error);
  process.exit(0);
}

process.stdout.on('error', endUnread);
// A node goes on without a reader of its log: it must not stop because a terminal was closed.
process.stderr.on('error', ignoreClosedPipe);

const code = await runCli(process.argv.slice(2), context, packageVersion());
// Waits until the last answer has reached a slow reader.
process.stdout.write('', () => process.exit(code));
