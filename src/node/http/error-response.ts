import type { FastifySchemaValidationError } from 'fastify';
import { ConfigurationError, type EntglDbError, type ErrorReason, isEntglDbError } from '../../core/errors/index.ts';

/** The body of every error response. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly reason: string;
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
}

/** Reasons that the caller has caused or can do something about. All others give 500. */
const STATUS_BY_REASON: Partial<Record<ErrorReason, number>> = {
  USAGE: 400,
  DOCUMENT_INVALID: 400,
  INVALID_DOCUMENT: 400,
  INVALID_FILTER: 400,
  INVALID_INDEX: 400,
  INVALID_NAME: 400,
  LIVE_RESULT_TOO_LARGE: 400,
  RESUME_TOKEN_INVALID: 400,
  RESULT_TOO_LARGE: 400,
  ACCESS_DENIED: 403,
  BLOB_NOT_FOUND: 404,
  CONFLICT_NOT_FOUND: 404,
  DOCUMENT_NOT_FOUND: 404,
  HISTORY_FORGOTTEN: 404,
  NODE_UNREACHABLE: 404,
  BACKUP_EXISTS: 409,
  OPTION_INVALID: 409,
  BLOB_INCOMPLETE: 409,
  COLLECTION_NOT_WANTED: 409,
  QUEUE_DISABLED: 409,
  UNIQUE_VIOLATION: 409,
  CONCURRENCY_CONFLICT: 412,
  DOCUMENT_TOO_LARGE: 413,
  TRANSACTION_TOO_LARGE: 413,
  DATABASE_CLOSED: 503,
  DATABASE_LOCKED: 503,
  LIVE_QUERIES_FULL: 503,
  QUEUE_FULL: 503,
  READ_ONLY: 503,
  SERVER_BUSY: 503,
  WATCHERS_FULL: 503,
  WRITE_QUEUE_FULL: 503,
  TIMED_OUT: 504,
  DISK_FULL: 507,
};

/** Status and body for anything that was thrown. For errors that are not ours the body reveals nothing internal. */
export function errorResponse(error: unknown): { readonly status: number; readonly body: ErrorBody } {
  if (isEntglDbError(error)) return { status: STATUS_BY_REASON[error.reason] ?? 500, body: errorBody(error) };
  const status = clientStatus(error);
  if (status === undefined) return { status: 500, body: bodyOf('INTERNAL_ERROR', 'INTERNAL', INTERNAL_MESSAGE) };
  const message = CLIENT_MESSAGES[status] ?? (error as Error).message;
  const reason = status === 413 ? 'DOCUMENT_TOO_LARGE' : 'USAGE';
  return { status, body: bodyOf(status === 413 ? 'PERSISTENCE_ERROR' : 'CONFIG_ERROR', reason, message) };
}

/** Replace fastify's messages, which name no remedy. */
const CLIENT_MESSAGES: Readonly<Record<number, string>> = {
  413: 'the body is larger than a request may be; send less, or raise Limits.DocumentBytesMax on every node',
  415: 'the body has no Content-Type, or none that is taken here; send application/json, or see /openapi.json',
};

/** The error for a part of a request, such as `body`, that does not fit the schema of its route. */
export function schemaError(problem: SchemaProblem, part: string): ConfigurationError {
  const where = part === 'querystring' ? 'the query string' : part;
  return new ConfigurationError('USAGE', `${where}${problem.instancePath} ${whatIsWrong(problem, part)}`);
}

/** Of a value that was sent, so many characters are shown. */
const SHOWN_CHARS_MAX = 40;

type SchemaProblem = Pick<FastifySchemaValidationError, 'instancePath' | 'keyword' | 'message' | 'params'> & {
  /** The schema that was violated, and what was sent; added by ajv's option `verbose`. */
  readonly parentSchema?: { readonly properties?: object };
  readonly data?: unknown;
};

function whatIsWrong({ keyword, message, params, parentSchema, data }: SchemaProblem, part: string): string {
  if (keyword === 'type') return `${message}, but is ${shownValue(data)}; see /openapi.json`;
  if (keyword === 'enum') return `must be one of ${allowedTexts(params)}, but is ${shownValue(data)}`;
  if (keyword === 'minLength' && data === '') return 'is empty; see /openapi.json';
  const { additionalProperty: unknown } = params;
  if (typeof unknown !== 'string') return `${message}; see /openapi.json`;
  const word = part === 'querystring' ? 'parameter' : 'member';
  const known = Object.keys(parentSchema?.properties ?? {}).join(', ');
  return `has the unknown ${word} ${JSON.stringify(unknown)}; ${known === '' ? 'none is known here' : `known: ${known}`}`;
}

function allowedTexts({ allowedValues }: SchemaProblem['params']): string {
  return (allowedValues as readonly unknown[]).map((value) => JSON.stringify(value)).join(', ');
}

/** The beginning of its JSON. A hostile value may be nested deeper than `JSON.stringify` can go, although `JSON.parse` has read it. */
function shownValue(data: unknown): string {
  try {
    return shorten(JSON.stringify(data) ?? 'missing');
  } catch {
    return 'nested too deep';
  }
}

function shorten(text: string): string {
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

const INTERNAL_MESSAGE = 'the node failed to answer; its log says why';

export function errorBody({ code, reason, message, details }: EntglDbError): ErrorBody {
  return { error: { code, reason, message, details } };
}

function bodyOf(code: string, reason: string, message: string): ErrorBody {
  return { error: { code, reason, message, details: {} } };
}

/** Fastify's own errors about a request (media type, length, schema) carry a status below 500. */
function clientStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
