import { type Agent, type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { EntglDbError, type ErrorCode, NetworkError, REASONS, TimeoutError } from '../../core/errors/index.ts';

/** A local node that does not answer within this time hangs. Requests that may take longer set their own limit. */
export const ANSWER_MS_MAX = 5000;

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  /** JSON unless `type` says otherwise. A stream is sent as it arrives. */
  readonly body?: string | AsyncIterable<Uint8Array>;
  readonly type?: string;
  /** Longest time until the answer begins, ms; Infinity: no limit. */
  readonly answerMsMax?: number;
  /** Breaks the request off. The node may go on with it. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpClientOptions {
  /** Keeps connections for frequent requests. Default: a connection for each request. */
  readonly agent?: Agent | false;
  /** For requests that do not set their own. Default: 5,000. */
  readonly answerMsMax?: number;
  /** For requests that do not set their own. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Talks to one node over HTTP. Uses `node:http` because fetch refuses some port numbers, 6000 among them. Rejects with the
 * error that the node answered with, NODE_UNREACHABLE, or TIMED_OUT.
 */
export class HttpClient {
  readonly #url: string;
  readonly #secret: string;
  readonly #agent: Agent | false;
  readonly #answerMsMax: number;
  readonly #signal: AbortSignal | undefined;

  constructor(
    url: string,
    secret: string,
    { agent = false, answerMsMax = ANSWER_MS_MAX, signal }: HttpClientOptions = {},
  ) {
    this.#url = url;
    this.#secret = secret;
    this.#agent = agent;
    this.#answerMsMax = answerMsMax;
    this.#signal = signal;
  }

  /** The parsed JSON of the answer; undefined if it has no body. */
  async json(options: HttpRequest): Promise<unknown> {
    const response = await this.open(options);
    const text = await readAll(response).catch((error: Error) => {
      throw this.#brokenOff(error, options);
    });
    return text === '' ? undefined : JSON.parse(text);
  }

  /** The bytes of the answer as they come. */
  async *bytes(options: HttpRequest): AsyncGenerator<Uint8Array> {
    const response: AsyncIterable<Uint8Array> = await this.open(options);
    const answer = response[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await answer.next().catch((error: Error) => {
          throw this.#brokenOff(error, options);
        });
        if (done === true) return;
        yield value;
      }
    } finally {
      await answer.return?.();
    }
  }

  /** The answer as a stream. A status of 400 or above rejects, unless it is in `accept`. */
  async open(options: HttpRequest, accept: readonly number[] = []): Promise<IncomingMessage> {
    const response = await this.#send(options);
    const status = response.statusCode ?? 500;
    if (status < 400 || accept.includes(status)) return response;
    throw errorOf(status, await readAll(response));
  }

  /** What to throw instead of the error of a connection that broke while the answer was read. */
  #brokenOff(cause: Error, { signal = this.#signal }: HttpRequest): unknown {
    if (signal?.aborted) return signal.reason;
    const message = `the node at ${this.#url} broke off its answer (${cause.message}); is it still running?`;
    return new NetworkError('NODE_UNREACHABLE', message, { cause });
  }

  #send({ signal = this.#signal, ...sending }: HttpRequest): Promise<IncomingMessage> {
    const { method, path, body, type, answerMsMax = this.#answerMsMax } = sending;
    const headers: Record<string, string> = { authorization: `Bearer ${this.#secret}` };
    if (body !== undefined) headers['content-type'] = type ?? 'application/json';
    return new Promise((resolve, reject) => {
      const abort = signal === undefined ? {} : { signal };
      const sent = request(`${this.#url}${path}`, { method, headers, agent: this.#agent, ...abort }, resolve);
      sent.on('error', (cause) => reject(signal?.aborted ? signal.reason : unreachable(this.#url, cause)));
      if (Number.isFinite(answerMsMax)) {
        sent.setTimeout(answerMsMax, () => {
          const message = `the node at ${this.#url} did not answer within ${answerMsMax} ms; look at its log or restart it`;
          sent.destroy(new TimeoutError(message));
        });
      }
      if (body === undefined || typeof body === 'string') sent.end(body);
      else pipeline(body, sent).catch((error: unknown) => reject(signal?.aborted ? signal.reason : error));
    });
  }
}

function unreachable(url: string, cause: Error): Error {
  if (cause instanceof TimeoutError) return cause;
  return new NetworkError('NODE_UNREACHABLE', `cannot reach the node at ${url}: ${cause.message}`, { cause });
}

export async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

/** Rebuilds the error that the node threw. */
function errorOf(status: number, text: string): EntglDbError {
  const error = parseErrorBody(text);
  if (error === undefined) {
    return new NetworkError('NODE_UNREACHABLE', `the node answered with HTTP status ${status}; look at its log`);
  }
  const { code, reason, message, details } = error;
  const known = (Object.keys(REASONS) as ErrorCode[]).find((each) =>
    (REASONS[each] as readonly string[]).includes(reason),
  );
  if (known === undefined || known !== code) return new NetworkError('NETWORK_FAILED', message);
  return new EntglDbError(known, reason as EntglDbError['reason'], message, { details });
}

interface ErrorFields {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
  readonly details: Record<string, unknown>;
}

function parseErrorBody(text: string): ErrorFields | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: Partial<ErrorFields> };
    if (typeof error?.message !== 'string' || typeof error.reason !== 'string') return undefined;
    return { code: String(error.code), reason: error.reason, message: error.message, details: error.details ?? {} };
  } catch {
    // Not JSON: something other than a node answered.
    return undefined;
  }
}
