import { PersistenceError } from '../../core/errors/index.ts';
import type { JsonValue } from '../../core/query/index.ts';
import type { Collection, Document, ScanOptions } from '../../database/index.ts';
import { cellOf } from './csv-cells.ts';
import type { TransferFormat } from './import-documents.ts';
import { KEY_COLUMN } from './parse-document-row.ts';
import type { Delimiter } from './read-csv.ts';

/** Characters that are gathered before they are handed on: fewer, larger writes. */
const CHUNK_CHARS = 64 * 1024;

/** Columns of one CSV file; spreadsheets stop at 16,384. */
const COLUMNS_MAX = 16_384;

export interface ExportProgress {
  /** Documents handed on so far, in this run. */
  readonly exported: number;
  /** Key of the newest of them; an export that was cut goes on behind it. */
  readonly key: string;
}

export interface ExportOptions {
  /** Default `ndjson`. */
  readonly format?: TransferFormat | undefined;
  /** CSV: default a comma. */
  readonly delimiter?: Delimiter | undefined;
  /** CSV: the fields to write, in this order. Default: all that any document has, for which the collection is read twice. */
  readonly columns?: readonly string[] | undefined;
  /** Goes on behind this key, without a head. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called behind each chunk that was taken. */
  readonly onProgress?: ((progress: ExportProgress) => void) | undefined;
}

/** What an export reads: documents in order of key, each with the versions that it consists of, where they are wanted. */
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
 * A collection in chunks of whole lines: as NDJSON, `{"key":"user1","value":{…}}` a line (with `"versions":[…]` where the
 * source has them), or as CSV with the column `_key` and one for each field at the top, in which anything but a text is
 * JSON. Documents written meanwhile may be in it or not. A signal ends it.
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

/** Every object answers to `constructor` and `__proto__`; a document has only what is its own. */
function fieldOf(value: Document, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Names of all fields at the top of any document, in the order in which they are met first. */
async function fieldsOf(collection: ExportSource, signal: AbortSignal | undefined): Promise<readonly string[]> {
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

/** RFC 4180: cells that hold the delimiter, a quote or an end of line are quoted, and a quote within is doubled. */
function csvLine(cells: readonly string[], delimiter: Delimiter): string {
  return `${cells.map((cell) => (needsQuotes(cell, delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\r\n`;
}

/** Blanks at the ends are kept by quotes, where a reader would trim them. */
function needsQuotes(cell: string, delimiter: Delimiter): boolean {
  return cell.includes(delimiter) || /["\r\n]|^\s|\s$/.test(cell);
}
