import { isEntglDbError, PersistenceError } from '../../core/errors/index.ts';
import { toFileError } from '../files/index.ts';
import type { CliContext, Output } from './cli-context.ts';

/** Nobody reads the output any more, as in `entgldb export users | head`. That is no error: the command ends silently. */
export class OutputClosed extends Error {}

export function createOutput({ stdout, stderr }: Pick<CliContext, 'stdout' | 'stderr'>, isJson: boolean): Output {
  const raw = (text: string | Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      stdout.write(text, (error) => (error ? reject(outputError(error)) : resolve()));
    });
  return {
    isJson,
    raw,
    answer: async (value, text) => {
      try {
        await raw(`${isJson ? JSON.stringify(value) : text}\n`);
      } catch (error) {
        throw unanswered(error);
      }
    },
    note: (text) => {
      if (!isJson) stderr.write(`${text}\n`);
    },
    aside: (value, text) => {
      stderr.write(`${isJson ? JSON.stringify(value) : text}\n`);
    },
  };
}

/** The error to throw when the standard output could not be written. */
export function outputError(error: Error): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['EPIPE', 'ECONNRESET'].includes(code) ? new OutputClosed() : toFileError(error, 'the standard output');
}

/** An answer is the last thing that a command does, and nobody must do the rest again. */
function unanswered(error: unknown): unknown {
  if (!isEntglDbError(error, 'PERSISTENCE_ERROR')) return error;
  const { reason, message, details } = error as PersistenceError;
  return new PersistenceError(reason, `the command is done, but its answer was not written: ${message}`, {
    details,
    cause: error,
  });
}
