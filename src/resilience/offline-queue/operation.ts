import { type DocumentLimits, documentToText } from '../../core/document/index.ts';
import { isEntglDbError, messageOf } from '../../core/errors/index.ts';
import { parseCollectionName, parseDocumentKey, type Random } from '../../core/ids/index.ts';
import type { JsonObject } from '../../core/query/index.ts';

/** An operation that a program wants to do later. */
export interface PendingOperation {
  readonly type: 'put' | 'delete';
  readonly collection: string;
  readonly key: string;
  /** The document of a `put`; a `delete` has none. It is copied: later changes do not affect the queue. */
  readonly data?: object | undefined;
}

/** A copy of an operation in the queue. */
export interface QueuedOperation {
  /** Its place in the queue; the first operation has the smallest. */
  readonly id: number;
  readonly type: 'put' | 'delete';
  readonly collection: string;
  readonly key: string;
  readonly data: JsonObject | undefined;
  /** 32 hex digits, the same at every attempt, even after a restart, by which a receiver can recognise a repetition. */
  readonly idempotencyKey: string;
  /** Wall clock, ms. */
  readonly queuedAt: number;
  /** How many attempts failed. */
  readonly attempts: number;
  /** Why the last attempt failed; undefined before the first failure. */
  readonly lastError: OperationError | undefined;
}

/** Why an attempt failed. */
export interface OperationError {
  readonly message: string;
  /** The reason of an error of this library, or the system's error code; undefined if it had neither. */
  readonly code: string | undefined;
  /** Wall clock, ms. */
  readonly at: number;
}

const KEY_BYTES = 16;
/** How much of a handler's error message is kept. */
const MESSAGE_LENGTH_MAX = 500;

/** The text of a new entry. Throws TypeError for an unknown type, INVALID_NAME, INVALID_DOCUMENT or DOCUMENT_TOO_LARGE. */
export function newOperationText(
  operation: PendingOperation,
  limits: DocumentLimits,
  random: Random,
  queuedAt: number,
): string {
  if (typeof operation !== 'object' || operation === null)
    throw new TypeError(`an operation is an object { type, collection, key, data }, not ${String(operation)}`);
  const { type, collection, key, data } = operation;
  if (type !== 'put' && type !== 'delete') {
    throw new TypeError(`an operation is of type "put" or "delete", not ${JSON.stringify(type)}`);
  }
  const head = {
    type,
    collection: parseCollectionName(collection),
    key: parseDocumentKey(key),
    idempotencyKey: Buffer.from(random.bytes(KEY_BYTES)).toString('hex'),
    queuedAt,
    attempts: 0,
  };
  return withData(head, type === 'put' ? documentToText(data, limits) : undefined);
}

/** The text of an entry whose attempt failed. */
export function failedOperationText(operation: QueuedOperation, error: unknown, at: number): string {
  const { id: _id, data, ...head } = operation;
  const failed = { ...head, attempts: operation.attempts + 1, lastError: operationError(error, at) };
  return withData(failed, data === undefined ? undefined : JSON.stringify(data));
}

/** Undefined for a text that is not an operation: it comes from a later release, or is damaged. */
export function parseOperation(id: number, text: string): QueuedOperation | undefined {
  const parsed = parseJson(text);
  if (parsed === null || (parsed.type !== 'put' && parsed.type !== 'delete')) return undefined;
  const { type, collection, key, data, idempotencyKey, queuedAt, attempts, lastError } = parsed;
  return { id, type, collection, key, data, idempotencyKey, queuedAt, attempts, lastError };
}

/** Identifies a document: operations on one document keep their order, those on different ones do not wait for each other. */
export function documentOf({ collection, key }: { readonly collection: string; readonly key: string }): string {
  return `${collection.length}:${collection}${key}`;
}

function parseJson(text: string): Omit<QueuedOperation, 'id'> | null {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON, so not an operation; the caller reports it.
    return null;
  }
}

/** Inserts the text of the document unchanged, without parsing it again. */
function withData(head: object, dataText: string | undefined): string {
  const text = JSON.stringify(head);
  return dataText === undefined ? text : `${text.slice(0, -1)},"data":${dataText}}`;
}

function operationError(error: unknown, at: number): OperationError {
  const message = messageOf(error).slice(0, MESSAGE_LENGTH_MAX);
  return { message, code: isEntglDbError(error) ? error.reason : systemCode(error), at };
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
