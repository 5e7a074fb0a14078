import { fstatSync } from 'node:fs';
import { ConfigurationError } from '../../core/errors/index.ts';
import { toFileError } from '../files/index.ts';
import type { CliContext } from './cli-context.ts';

const STANDARD_INPUT = 0;

/**
 * The standard input of this process. Throws FILE_INVALID when it is read and is a folder or a device with blocks, which Node.js takes
 * for empty.
 */
export const standardInput: CliContext['stdin'] = {
  get isTTY() {
    return process.stdin.isTTY;
  },
  [Symbol.asyncIterator]: read,
};

async function* read(): AsyncGenerator<Uint8Array> {
  try {
    const found = fstatSync(STANDARD_INPUT);
    if (found.isDirectory() || found.isBlockDevice()) throw notReadable();
    yield* process.stdin;
  } catch (error) {
    throw toFileError(error, 'the standard input');
  }
}

function notReadable(): ConfigurationError {
  const message = 'cannot read the standard input: it is a folder or a disk; redirect a file to it, or name one';
  return new ConfigurationError('FILE_INVALID', message);
}
