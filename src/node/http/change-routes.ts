import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { NetworkError } from '../../core/errors/index.ts';
import type { Change, Collection, Document, WatchOptions } from '../../database/index.ts';
import { errorResponse } from './error-response.ts';
import { type CollectionParams, collectionParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

/** Streams at once; more are refused with SERVER_BUSY. */
const STREAMS_MAX = 64;
/** A line of comment this often keeps proxies from cutting a quiet stream, and finds out that a reader has gone. */
const KEEP_ALIVE_MS = 15_000;

/**
 * Changes as server-sent events. The id of an event is its resume token: a browser that reconnects sends it as
 * `Last-Event-ID` and goes on where it was. A slow reader is not buffered for: the change feed waits in the database.
 */
export function changeRoutes(app: FastifyInstance, context: RouteContext): void {
  let streams = 0;
  app.get<{ Params: CollectionParams; Querystring: { resume?: string } }>(
    '/api/v1/collections/:collection/changes',
    {
      schema: {
        tags: ['changes'],
        summary: 'Stream changes as server-sent events: put, delete, reset',
        params: collectionParams,
        querystring: { type: 'object', properties: { resume: { type: 'string' } } },
      },
    },
    async (request, reply) => {
      if (streams >= STREAMS_MAX) {
        throw new NetworkError(
          'SERVER_BUSY',
          `there are ${STREAMS_MAX} streams of changes already; close one or try later`,
        );
      }
      const resume = request.headers['last-event-id'] ?? request.query.resume;
      const collection = context.node.database.collection(request.params.collection);
      streams++;
      reply.hijack();
      try {
        await stream(reply.raw, collection, typeof resume === 'string' ? { resume } : {}, context);
      } finally {
        streams--;
      }
    },
  );
}

async function stream(
  response: ServerResponse,
  collection: Collection,
  resume: Pick<WatchOptions, 'resume'>,
  { clock, closing, logger }: RouteContext,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  let cancelBeat = (): void => {};
  const beat = (): void => {
    response.write(': still here\n\n');
    cancelBeat = clock.setTimer(KEEP_ALIVE_MS, beat);
  };
  const changes = collection.watch({ ...resume, signal })[Symbol.asyncIterator]();
  try {
    let next = changes.next();
    // A token that is refused is refused at once, while a status can still say so.
    await Promise.race([next, setImmediate()]);
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    beat();
    for (let result = await next; result.done !== true; result = await next) {
      if (!response.write(eventText(result.value))) await once(response, 'drain', { signal });
      next = changes.next();
    }
  } catch (error) {
    if (!signal.aborted) endWithError(response, error, logger);
  } finally {
    cancelBeat();
    response.end();
    await changes.return?.();
  }
}

function eventText(change: Change<Document>): string {
  const { kind, resume, ...data } = change;
  return `id: ${resume}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Before the first event a status can still tell; later only an event can. */
function endWithError(response: ServerResponse, error: unknown, logger: RouteContext['logger']): void {
  const { status, body } = errorResponse(error);
  if (status >= 500) logger.error({ err: error }, 'stream of changes failed');
  if (!response.headersSent)
    response.writeHead(status, { 'Content-Type': 'application/json' }).write(JSON.stringify(body));
  else response.write(`event: error\ndata: ${JSON.stringify(body)}\n\n`);
}
