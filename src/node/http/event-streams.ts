import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { NetworkError } from '../../core/errors/index.ts';
import { errorResponse } from './error-response.ts';
import type { RouteContext } from './route-context.ts';

/** Most streams at the same time; more are refused with SERVER_BUSY. */
const STREAMS_MAX = 64;
/** A comment line this often keeps proxies from cutting a quiet stream, and detects readers that have gone. */
const KEEP_ALIVE_MS = 15_000;
/** How long a reader may read nothing while something waits for it. */
const STALLED_MS_MAX = 60_000;

/** One stream under way. */
interface Stream<Item> {
  readonly response: ServerResponse;
  readonly items: AsyncIterator<Item>;
  readonly toText: (item: Item) => string;
  /** Sent before the first item. */
  readonly opening: string;
  readonly signal: AbortSignal;
}

type StreamContext = Pick<RouteContext, 'clock' | 'closing' | 'logger'>;

/** Server-sent events. Nothing is buffered for a slow reader: the next item is requested when it has read the last one. */
export class EventStreams {
  readonly #context: StreamContext;
  #open = 0;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  /**
   * Sends items until they end, the reader leaves, or the server closes; the latter two abort the signal given to `itemsOf`. An
   * immediate failure is answered with a status, a later one with an event `error`. `opening` is sent before the first item.
   */
  async send<Item>(
    reply: FastifyReply,
    itemsOf: (signal: AbortSignal) => AsyncIterable<Item>,
    toText: (item: Item) => string,
    opening = '',
  ): Promise<void> {
    if (this.#open >= STREAMS_MAX)
      throw new NetworkError('SERVER_BUSY', `there are ${STREAMS_MAX} event streams already; close one or try later`);
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, this.#context.closing]);
    const items = itemsOf(signal)[Symbol.asyncIterator]();
    this.#open++;
    reply.hijack();
    reply.raw.once('close', () => gone.abort());
    try {
      await this.#pump({ response: reply.raw, items, toText, opening, signal });
    } finally {
      this.#open--;
    }
  }

  async #pump<Item>({ response, items, toText, opening, signal }: Stream<Item>): Promise<void> {
    const { clock, logger } = this.#context;
    let cancelBeat = (): void => {};
    const beat = (): void => {
      response.write(': still here\n\n');
      cancelBeat = clock.setTimer(KEEP_ALIVE_MS, beat);
    };
    try {
      let next = items.next();
      // A refusal comes immediately, while a status can still report it.
      await Promise.race([next, setImmediate()]);
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      beat();
      response.write(opening);
      for (let result = await next; result.done !== true; result = await next) {
        if (!response.write(toText(result.value))) await drained(response, signal, clock);
        next = items.next();
      }
    } catch (error) {
      if (!signal.aborted) endWithError(response, error, logger);
    } finally {
      cancelBeat();
      response.end();
      await items.return?.();
    }
  }
}

/** Waits until the reader has caught up. One that reads nothing for long is cut off; it can return with its last event's id. */
async function drained(response: ServerResponse, signal: AbortSignal, clock: StreamContext['clock']): Promise<void> {
  const cancel = clock.setTimer(STALLED_MS_MAX, () => response.destroy());
  await once(response, 'drain', { signal }).finally(cancel);
}

/** Reports an error: before the headers were sent by a status, later by an event. */
function endWithError(response: ServerResponse, error: unknown, logger: RouteContext['logger']): void {
  const { status, body } = errorResponse(error);
  if (status >= 500) logger.error({ err: error }, 'an event stream failed');
  if (!response.headersSent)
    response.writeHead(status, { 'Content-Type': 'application/json' }).write(JSON.stringify(body));
  else response.write(`event: error\ndata: ${JSON.stringify(body)}\n\n`);
}
