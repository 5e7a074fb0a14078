import { once } from 'node:events';
import type { CliContext, Output } from './cli-context.ts';

export function createOutput({ stdout, stderr }: Pick<CliContext, 'stdout' | 'stderr'>, isJson: boolean): Output {
  const raw = async (text: string | Uint8Array): Promise<void> => {
    if (!stdout.write(text)) await once(stdout, 'drain').catch(ignoreClosedPipe);
  };
  return {
    isJson,
    raw,
    answer: (value, text) => raw(`${isJson ? JSON.stringify(value) : text}\n`),
    note: (text) => {
      if (!isJson) stderr.write(`${text}\n`);
    },
    aside: (value, text) => {
      stderr.write(`${isJson ? JSON.stringify(value) : text}\n`);
    },
  };
}

/** Ignores the error that nobody reads any more; whoever opened the stream decides what follows. */
export function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
