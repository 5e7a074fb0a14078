import { once } from 'node:events';
import type { CliContext, Output } from './cli-context.ts';

export function createOutput({ stdout, stderr }: Pick<CliContext, 'stdout' | 'stderr'>, isJson: boolean): Output {
  const raw = async (text: string | Uint8Array): Promise<void> => {
    if (!stdout.write(text)) await once(stdout, 'drain');
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
