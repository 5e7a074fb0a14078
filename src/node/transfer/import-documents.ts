import type { Limits } from '../../core/config/index.ts';
import { type EntglDbError, isEntglDbError } from '../../core/errors/index.ts';
import type { Collection } from '../../database/index.ts';
import { type ImportedDocument, parseDocumentLine } from './parse-document-line.ts';
import { parseDocumentRow, parseHead } from './parse-document-row.ts';
import { type Delimiter, readCsv } from './read-csv.ts';
import { readLines } from './read-lines.ts';

/** Room for the key and the braces around a document of maximum size; JSON may use six bytes per character. */
const LINE_OVERHEAD_BYTES = 16 * 1024;

/** Bytes per transaction of an import: well below the limit, so that other writes are not held up. */
const BATCH_BYTES_MAX = 1024 * 1024;

export type TransferFormat = 'ndjson' | 'csv';

export interface ImportProgress {
  /** Documents written so far, in this run. */
  readonly imported: number;
  /** Every line up to this one was written or left out. */
  readonly line: number;
}

export interface ImportOptions {
  readonly limits: Limits;
  /** Default `ndjson`. */
  readonly format?: TransferFormat | undefined;
  readonly keyField?: string | undefined;
  /** CSV: default a comma. */
  readonly delimiter?: Delimiter | undefined;
  /** CSV: every cell is a text. Default false: numbers, `true`, `false`, `null` and JSON are read as such. */
  readonly isAllText?: boolean | undefined;
  /** Lines up to this one were imported before and are skipped. Default 0. */
  readonly afterLine?: number | undefined;
  /** Called for each line that is left out; absent: the first bad line ends the import. */
  readonly onBadLine?: ((error: EntglDbError) => void) | undefined;
  /** Called after each transaction. */
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  /** Ends the import after the transaction under way; written documents stay. */
  readonly signal?: AbortSignal | undefined;
}

interface Read {
  readonly number: number;
  /** Parses and checks the document of that line. */
  parse(): ImportedDocument;
}

/**
 * Writes the documents of an NDJSON or CSV stream in transactions of bounded size, and resolves with their number. What was
 * written before an error stays. Importing the corrected file again is harmless; `afterLine` with the line of the last progress
 * continues from there.
 */
export async function importDocuments(
  bytes: AsyncIterable<Uint8Array>,
  collection: Pick<Collection, 'putMany'>,
  options: ImportOptions,
): Promise<number> {
  const { limits, afterLine = 0, signal, onProgress } = options;
  let imported = 0;
  let batch: ImportedDocument[] = [];
  let batchBytes = 0;
  let line = afterLine;
  const write = async (): Promise<void> => {
    signal?.throwIfAborted();
    await collection.putMany(batch.map(({ key, value }) => [key, value] as const));
    imported += batch.length;
    batch = [];
    batchBytes = 0;
    onProgress?.({ imported, line });
  };
  const bytesMax = Math.min(BATCH_BYTES_MAX, limits.transactionBytesMax);
  for await (const read of options.format === 'csv' ? csvRows(bytes, options) : lines(bytes, options)) {
    if (read.number <= afterLine) continue;
    const document = readDocument(read, options);
    if (document !== undefined) {
      const isFull = batch.length >= limits.transactionDocumentsMax || batchBytes + document.bytes > bytesMax;
      if (isFull && batch.length > 0) await write();
      batch.push(document);
      batchBytes += document.bytes;
    }
    line = read.number;
  }
  if (batch.length > 0) await write();
  return imported;
}

async function* lines(bytes: AsyncIterable<Uint8Array>, { limits, keyField }: ImportOptions): AsyncGenerator<Read> {
  for await (const line of readLines(bytes, limits.documentBytesMax + LINE_OVERHEAD_BYTES))
    yield { number: line.number, parse: () => parseDocumentLine(line, keyField, limits) };
}

async function* csvRows(bytes: AsyncIterable<Uint8Array>, options: ImportOptions): AsyncGenerator<Read> {
  const { limits, keyField, delimiter = ',', isAllText = false } = options;
  let head: readonly string[] | undefined;
  for await (const row of readCsv(bytes, delimiter, limits.documentBytesMax + LINE_OVERHEAD_BYTES)) {
    const names = head;
    if (names === undefined) head = parseHead(row, keyField);
    else yield { number: row.number, parse: () => parseDocumentRow(row, names, { keyField, isAllText, limits }) };
  }
}

function readDocument(read: Read, { onBadLine }: ImportOptions): ImportedDocument | undefined {
  try {
    return read.parse();
  } catch (error) {
    if (onBadLine === undefined || !isEntglDbError(error)) throw error;
    onBadLine(error);
    return undefined;
  }
}
