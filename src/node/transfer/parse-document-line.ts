import type { Limits } from '../../core/config/index.ts';
import { documentToText } from '../../core/document/index.ts';
import { isEntglDbError, PersistenceError } from '../../core/errors/index.ts';
import { parseDocumentKey } from '../../core/ids/index.ts';
import type { Document } from '../../database/index.ts';
import type { Line } from './read-lines.ts';

/** A document of an imported file, checked like a write. */
export interface ImportedDocument {
  readonly key: string;
  readonly value: Document;
  /** Bytes of its JSON text. */
  readonly bytes: number;
}

/** Fields in which a document that does not come from an export may hold its key. */
export const KEY_FIELDS = ['_id', 'id', '_key', 'key'];

/**
 * Parses a line as `export` writes it, `{"key":"user1","value":{…}}` with or without `versions`, or a document that holds its
 * key in `keyField` (default: in `_id`, `id`, `_key` or `key`). Throws PERSISTENCE_ERROR (INVALID_DOCUMENT, INVALID_NAME,
 * DOCUMENT_TOO_LARGE) with the number of the line.
 */
export function parseDocumentLine(line: Line, keyField: string | undefined, limits: Limits): ImportedDocument {
  const parsed = parseObject(line);
  return checkDocument(line.number, limits, () => keyed(parsed, keyField));
}

/** Checks a document as a write would. Errors name its line. */
export function checkDocument(
  line: number,
  limits: Limits,
  read: () => { readonly key: unknown; readonly value: Document },
): ImportedDocument {
  try {
    const { key, value } = read();
    return { key: parseDocumentKey(key), value, bytes: Buffer.byteLength(documentToText(value, limits)) };
  } catch (error) {
    if (!isEntglDbError(error, 'PERSISTENCE_ERROR')) throw error;
    // A bad line has the same reason as writing its document would have.
    const reason = error.reason as 'INVALID_DOCUMENT' | 'INVALID_NAME' | 'DOCUMENT_TOO_LARGE';
    throw new PersistenceError(reason, `line ${line}: ${error.message}`, {
      details: { ...error.details, line },
      cause: error,
    });
  }
}

/** The key that a document holds in one of its fields. */
export function keyFieldOf(value: Document, keyField: string | undefined): string {
  const field = keyField ?? KEY_FIELDS.find((name) => Object.hasOwn(value, name));
  const found = field === undefined ? undefined : value[field];
  if (typeof found === 'string' || typeof found === 'number') return String(found);
  const where =
    keyField === undefined
      ? 'no {"key": …, "value": …} and no field _id, id, _key or key'
      : `no text or number in field ${keyField}`;
  throw new PersistenceError(
    'INVALID_DOCUMENT',
    `there is ${where} to take the key from; name the field that holds it`,
  );
}

function parseObject(line: Line): Document {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line.text);
  } catch (cause) {
    // V8 adds `(line 1 column 2)`, counted in this line alone.
    const why = (cause as Error).message.replace(/ \(line 1 column \d+\)$/, '');
    throw lineError(line, `is not JSON (${why}); correct or remove it`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Document;
  throw lineError(line, 'is not a JSON object; each line must be one document');
}

function lineError({ number }: Line, what: string): PersistenceError {
  return new PersistenceError('INVALID_DOCUMENT', `line ${number} ${what}`, { details: { line: number } });
}

function keyed(parsed: Document, keyField: string | undefined): { key: unknown; value: Document } {
  const { key, value, versions, ...rest } = parsed;
  const isExported =
    isDocument(value) && Object.keys(rest).length === 0 && (versions === undefined || isList(versions));
  if (keyField === undefined && isExported) return { key, value };
  return { key: keyFieldOf(parsed, keyField), value: parsed };
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
