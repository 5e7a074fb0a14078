import { PersistenceError } from '../../core/errors/index.ts';
import type { JsonValue } from '../../core/query/index.ts';
import type { Collection, Document, ScanOptions } from '../../database/index.ts';
import { cellOf } from './csv-cells.ts';
import type { TransferFormat } from './import-documents.ts';
import { KEY_COLUMN } from './parse-document-row.ts';
import type { Delimiter } from './read-csv.ts';

/** Characters to collect before they are yielded, for fewer and larger writes. */
const CHUNK_CHARS = 64 * 1024;

/** Most columns of a CSV file; spreadsheets stop at 16,384. */
const COLUMNS_MAX = 16_384;

export interface ExportProgress {
  /** Documents exported so far, in this run. */
  readonly exported: number;
  /** Key of the last of them; an interrupted export continues after it. */
  readonly key: string;
}

export interface ExportOptions {
  /** Default `ndjson`. */
  readonly format?: TransferFormat | undefined;
  /** CSV: default a comma. */
  readonly delimiter?: Delimiter | undefined;
  /** CSV: the fields to write, in this order. Default: all fields of any document, for which the collection is read twice. */
  readonly columns?: readonly string[] | undefined;
  /** Continues after this key, without a CSV header. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk that was consumed. */
  readonly onProgress?: ((progress: ExportProgress) => void) | undefined;
}

/** What an export reads: documents in order of key, with their versions if wanted. */
export interface ExportSource {
  entries(options: ScanOptions): AsyncIterable<readonly [key: string, value: Document, versions?: readonly object[]]>;
}

/** The same documents with their versions. */
export function withVersions(collection: Pick<Collection, 'entries' | 'versions'>): ExportSource {
  return {
    entries: async function* (options) {
      for await (const [key, value] of collection.entries(options))
        yield [key, value, await collection.versions(key)] as const;
    },
  };
}

/**
 * Exports a collection in chunks of whole lines: as NDJSON with one `{"key":"user1","value":{…}}` per line (and `"versions":[…]`
 * if the source has them), or as CSV with the column `_key` and one column per top-level field, in which everything but texts is
 * JSON. Documents written meanwhile may or may not be included. A signal aborts it.
 */
export async function* exportDocuments(collection: ExportSource, options: ExportOptions = {}): AsyncGenerator<string> {
  const isCsv = options.format === 'csv';
  const columns = isCsv ? (options.columns ?? (await fieldsOf(collection, options.signal))) : [];
  const { delimiter = ',', onProgress, after } = options;
  let chunk = isCsv && after === undefined ? csvLine([KEY_COLUMN, ...columns], delimiter) : '';
  let progress: ExportProgress | undefined;
  for await (const [key, value, versions] of collection.entries(scanOptions(options))) {
    chunk += isCsv
      ? csvLine([key, ...columns.map((name) => cellOf(fieldOf(value, name)))], delimiter)
      : `${JSON.stringify(versions === undefined ? { key, value } : { key, value, versions })}\n`;
    progress = { exported: (progress?.exported ?? 0) + 1, key };
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
    onProgress?.(progress);
  }
  if (chunk !== '') yield chunk;
  if (progress !== undefined) onProgress?.(progress);
}

function scanOptions({ signal, after }: ExportOptions): ScanOptions {
  return { ...(signal === undefined ? {} : { signal }), ...(after === undefined ? {} : { after }) };
}

/** Reads own fields only: every object answers to `constructor` and `__proto__`. */
function fieldOf(value: Document, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/**
 * Names of the top-level fields of all documents, in order of first appearance: the columns of a CSV file. Throws INVALID_DOCUMENT if
 * they make no table.
 */
export async function fieldsOf(collection: ExportSource, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const names = new Set<string>();
  for await (const [key, value] of collection.entries(scanOptions({ signal }))) {
    for (const name of Object.keys(value)) {
      if (name === KEY_COLUMN) throw notTabular(`document ${JSON.stringify(key)} has a field ${KEY_COLUMN} of its own`);
      if (names.size === names.add(name).size) continue;
      if (name === '') throw notTabular(`document ${JSON.stringify(key)} has a field without a name`);
      if (names.size > COLUMNS_MAX) throw notTabular(`the documents have more than ${COLUMNS_MAX} fields`);
    }
  }
  return [...names];
}

function notTabular(what: string): PersistenceError {
  return new PersistenceError('INVALID_DOCUMENT', `${what}, so they make no table; export NDJSON, or name the columns`);
}

/** RFC 4180: cells with the delimiter, a quote or a line break are quoted, and quotes within them are doubled. */
function csvLine(cells: readonly string[], delimiter: Delimiter): string {
  return `${cells.map((cell) => (needsQuotes(cell, delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\r\n`;
}

/** Quotes also protect blanks at the ends, which a reader would trim. */
function needsQuotes(cell: string, delimiter: Delimiter): boolean {
  return cell.includes(delimiter) || /["\r\n]|^\s|\s$/.test(cell);
}
