import type { Limits } from '../../core/config/index.ts';
import { type EntglDbError, isEntglDbError } from '../../core/errors/index.ts';
import type { Collection } from '../../database/index.ts';
import { type ImportedDocument, parseDocumentLine } from './parse-document-line.ts';
import { type Line, readLines } from './read-lines.ts';

/** Room for the key and the braces around a document of the greatest size; JSON may spend six bytes on a character. */
const LINE_OVERHEAD_BYTES = 16 * 1024;

/** Bytes in one transaction of an import: well below the bound of a transaction, so that others are not held up. */
const BATCH_BYTES_MAX = 1024 * 1024;

export interface ImportOptions {
  readonly limits: Limits;
  readonly keyField?: string | undefined;
  /** Called for each line that is left out; absent: the first bad line ends the import. */
  readonly onBadLine?: ((error: EntglDbError) => void) | undefined;
  /** Called after each transaction with the documents written so far. */
  readonly onProgress?: ((imported: number) => void) | undefined;
  /** Ends the import after the transaction under way; what is written stays. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the documents of an NDJSON stream, in transactions of bounded size, and resolves with how many there were. What
 * was written before an error stays written: importing the corrected file again is harmless.
 */
export async function importDocuments(
  bytes: AsyncIterable<Uint8Array>,
  collection: Pick<Collection, 'putMany'>,
  options: ImportOptions,
): Promise<number> {
  let imported = 0;
  let batch: ImportedDocument[] = [];
  let batchBytes = 0;
  const write = async (): Promise<void> => {
    options.signal?.throwIfAborted();
    await collection.putMany(batch.map(({ key, value }) => [key, value] as const));
    imported += batch.length;
    batch = [];
    batchBytes = 0;
    options.onProgress?.(imported);
  };
  const bytesMax = Math.min(BATCH_BYTES_MAX, options.limits.transactionBytesMax);
  for await (const line of readLines(bytes, options.limits.documentBytesMax + LINE_OVERHEAD_BYTES)) {
    const document = readDocument(line, options);
    if (document === undefined) continue;
    const isFull = batch.length >= options.limits.transactionDocumentsMax || batchBytes + document.bytes > bytesMax;
    if (isFull && batch.length > 0) await write();
    batch.push(document);
    batchBytes += document.bytes;
  }
  if (batch.length > 0) await write();
  return imported;
}

function readDocument(line: Line, { keyField, limits, onBadLine }: ImportOptions): ImportedDocument | undefined {
  try {
    return parseDocumentLine(line, keyField, limits);
  } catch (error) {
    if (onBadLine === undefined || !isEntglDbError(error)) throw error;
    onBadLine(error);
    return undefined;
  }
}
