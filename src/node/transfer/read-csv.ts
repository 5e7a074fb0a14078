import type { CsvError } from 'csv-parse';
import { PersistenceError } from '../../core/errors/index.ts';

/** A record of a CSV file. */
export interface CsvRow {
  /** Number of its last line in the file, from 1. */
  readonly number: number;
  readonly cells: readonly string[];
}

/** The character between cells. */
export type Delimiter = ',' | ';' | '\t' | '|';

/**
 * The records of a CSV file (RFC 4180), the header first; empty lines are skipped. Memory is bounded by the longest record.
 * Throws INVALID_DOCUMENT if the file is not UTF-8 or a quote is never closed, DOCUMENT_TOO_LARGE if a record is longer than
 * `rowCharactersMax`.
 */
export async function* readCsv(
  bytes: AsyncIterable<Uint8Array>,
  delimiter: Delimiter,
  rowCharactersMax: number,
): AsyncGenerator<CsvRow> {
  const [{ CsvError, parse }, { Readable, pipeline }] = await Promise.all([import('csv-parse'), import('node:stream')]);
  const parser = parse({
    delimiter,
    info: true,
    max_record_size: rowCharactersMax,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  // Errors of either end are thrown by the iterator below; `pipeline` merely requires a callback.
  pipeline(Readable.from(decoded(bytes)), parser, () => {});
  try {
    for await (const { info, record } of parser as AsyncIterable<{ info: { lines: number }; record: string[] }>)
      yield { number: info.lines, cells: record };
  } catch (error) {
    throw error instanceof CsvError ? toRowError(error, parser.info.lines, rowCharactersMax) : error;
  } finally {
    parser.destroy();
  }
}

/** Decodes UTF-8, without a byte order mark. */
async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of bytes) {
      const text = decoder.decode(chunk, { stream: true });
      if (text !== '') yield text;
    }
    decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new PersistenceError('INVALID_DOCUMENT', 'the file is not UTF-8; save it as UTF-8', { cause });
  }
}

function toRowError(error: CsvError, line: number, rowCharactersMax: number): PersistenceError {
  const details = { line };
  if (error.code === 'CSV_MAX_RECORD_SIZE')
    return new PersistenceError(
      'DOCUMENT_TOO_LARGE',
      `the record at line ${line} is longer than ${rowCharactersMax} characters; leave it out, or close its quotes`,
      { details, cause: error },
    );
  return new PersistenceError('INVALID_DOCUMENT', `line ${line}: ${error.message}; correct it`, {
    details,
    cause: error,
  });
}
