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
  };
}

/** Nobody reads any more: what follows from that is decided where the stream was opened. */
export function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
