import { type DocumentLimits, documentToText } from '../../core/document/index.ts';
import { isEntglDbError, messageOf } from '../../core/errors/index.ts';
import { parseCollectionName, parseDocumentKey, type Random } from '../../core/ids/index.ts';
import type { JsonObject } from '../../core/query/index.ts';

/** What a program wants done later. */
export interface PendingOperation {
  readonly type: 'put' | 'delete';
  readonly collection: string;
  readonly key: string;
  /** The document of a `put`; a `delete` has none. It is copied: changing it later changes nothing queued. */
  readonly data?: object | undefined;
}

/** An operation in the queue: a copy, which may be changed. */
export interface QueuedOperation {
  /** Its place in the queue; the first has the smallest. */
  readonly id: number;
  readonly type: 'put' | 'delete';
  readonly collection: string;
  readonly key: string;
  readonly data: JsonObject | undefined;
  /** 32 hex digits, the same at every attempt, on this node and after a restart: a receiver can tell a repetition by it. */
  readonly idempotencyKey: string;
  /** Wall clock, ms. */
  readonly queuedAt: number;
  /** Attempts that failed. */
  readonly attempts: number;
  /** Why the last attempt failed; undefined before the first failure. */
  readonly lastError: OperationError | undefined;
}

export interface OperationError {
  readonly message: string;
  /** `code` of the error, where it had one. */
  readonly code: string | undefined;
  /** Wall clock, ms. */
  readonly at: number;
}

const KEY_BYTES = 16;
/** A handler's message may be as long as it likes; what is kept of it is not. */
const MESSAGE_LENGTH_MAX = 500;

/** The text of a new entry. Throws TypeError for another type, INVALID_NAME, INVALID_DOCUMENT or DOCUMENT_TOO_LARGE. */
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

/** Undefined for a text that is no operation: of a later release, or damaged. */
export function parseOperation(id: number, text: string): QueuedOperation | undefined {
  const parsed = parseJson(text);
  if (parsed === null || (parsed.type !== 'put' && parsed.type !== 'delete')) return undefined;
  const { type, collection, key, data, idempotencyKey, queuedAt, attempts, lastError } = parsed;
  return { id, type, collection, key, data, idempotencyKey, queuedAt, attempts, lastError };
}

/** Operations on one document keep their order; of different ones, none waits for another. */
export function documentOf({ collection, key }: { readonly collection: string; readonly key: string }): string {
  return `${collection.length}:${collection}${key}`;
}

function parseJson(text: string): Omit<QueuedOperation, 'id'> | null {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no operation either; the caller reports it.
    return null;
  }
}

/** The document's text goes in as it is, without being parsed again. */
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
