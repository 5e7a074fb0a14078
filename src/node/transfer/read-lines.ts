import { PersistenceError } from '../../core/errors/index.ts';

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a byte stream, trimmed; empty lines are skipped. Memory is bounded by the longest line. Throws, with the number
 * of the line, DOCUMENT_TOO_LARGE if it is longer than `lineBytesMax`, INVALID_DOCUMENT if it is not UTF-8.
 */
export async function* readLines(bytes: AsyncIterable<Uint8Array>, lineBytesMax: number): AsyncGenerator<Line> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let partsBytes = 0;
  const finish = (): Line => {
    number++;
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    parts = [];
    partsBytes = 0;
    return { number, text: decode(whole, number) };
  };
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      from = end + 1;
      const line = finish();
      if (line.text.length > lineBytesMax) throw tooLong(number, lineBytesMax);
      if (line.text !== '') yield line;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
    partsBytes += chunk.length - from;
    if (partsBytes > lineBytesMax) throw tooLong(number + 1, lineBytesMax);
  }
  if (parts.length > 0) {
    const line = finish();
    if (line.text !== '') yield line;
  }
}

/** Uses a new decoder for each line, because one that met half a character would keep it for the next. Drops a byte order mark. */
function decode(bytes: Uint8Array, number: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
  } catch (cause) {
    throw new PersistenceError('INVALID_DOCUMENT', `line ${number} is not UTF-8; save the file as UTF-8`, {
      details: { line: number },
      cause,
    });
  }
}

function tooLong(line: number, lineBytesMax: number): PersistenceError {
  return new PersistenceError(
    'DOCUMENT_TOO_LARGE',
    `line ${line} is longer than ${lineBytesMax} bytes; leave it out or split it`,
    {
      details: { line, lineBytesMax },
    },
  );
}
