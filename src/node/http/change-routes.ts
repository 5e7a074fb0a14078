import type { FastifyInstance } from 'fastify';
import type { Change, Document } from '../../database/index.ts';
import { EventStreams } from './event-streams.ts';
import { findOptionsOf, type QueryBody, queryBody } from './query-routes.ts';
import { type CollectionParams, collectionParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

/**
 * Changes, and results of live queries, as server-sent events. The id of a change is its resume token: a browser that
 * reconnects sends it as `Last-Event-ID` and continues where it was. A stream begins with an id, so that one that was cut
 * before its first change misses none either. A live query starts over with the whole result.
 */
export function changeRoutes(app: FastifyInstance, context: RouteContext): void {
  const { node } = context;
  const streams = new EventStreams(context);
  const schema = { tags: ['changes'], params: collectionParams };

  app.get<{ Params: CollectionParams; Querystring: { resume?: string } }>(
    '/api/v1/collections/:collection/changes',
    {
      // A stream has no end at which a HEAD request could be answered.
      exposeHeadRoute: false,
      schema: {
        ...schema,
        summary: 'Stream changes as server-sent events: put, delete, reset',
        querystring: { type: 'object', properties: { resume: { type: 'string' } } },
      },
    },
    async (request, reply) => {
      const { 'last-event-id': last } = request.headers;
      const resume = (typeof last === 'string' ? last : request.query.resume) ?? node.resumeToken();
      const collection = node.database.collection(request.params.collection);
      await streams.send(reply, (signal) => collection.watch({ resume, signal }), changeText, `id: ${resume}\n\n`);
    },
  );

  app.post<{ Params: CollectionParams; Body: QueryBody }>(
    '/api/v1/collections/:collection/live',
    {
      schema: {
        ...schema,
        summary: 'Stream the result of a query as server-sent events: result, then update with the changes to it',
        body: queryBody,
      },
    },
    async ({ params, body }, reply) => {
      const collection = node.database.collection(params.collection);
      const options = findOptionsOf(body);
      let event = 'result';
      await streams.send(
        reply,
        (signal) => collection.live(body.filter, { ...options, signal }),
        ({ results, changes }) => {
          const data = event === 'result' ? { documents: results } : { changes };
          const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
          event = 'update';
          return text;
        },
      );
    },
  );
}

function changeText(change: Change<Document>): string {
  const { kind, resume, ...data } = change;
  return `id: ${resume}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
