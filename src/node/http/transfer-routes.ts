import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { exportDocuments, importDocuments } from '../transfer/index.ts';
import { type CollectionParams, collectionParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

/** Whole collections as NDJSON streams, in bounded memory. */
export function transferRoutes(app: FastifyInstance, { node, limits, closing }: RouteContext): void {
  // The body is not gathered: the import reads it as it arrives and bounds each line.
  app.addContentTypeParser('application/x-ndjson', (_request, payload, done) => done(null, payload));
  const schema = { tags: ['transfer'], params: collectionParams };
  const path = '/api/v1/collections/:collection';

  app.post<{ Params: CollectionParams; Querystring: { keyField?: string }; Body: Readable }>(
    `${path}/import`,
    {
      schema: {
        ...schema,
        summary: 'Write the documents of an application/x-ndjson body; an error names the line',
        querystring: { type: 'object', properties: { keyField: { type: 'string', minLength: 1 } } },
      },
    },
    async ({ params, query, body }) => {
      const options = { limits, keyField: query.keyField, signal: closing };
      return { imported: await importDocuments(body, node.database.collection(params.collection), options) };
    },
  );
  app.get<{ Params: CollectionParams }>(
    `${path}/export`,
    { schema: { ...schema, summary: 'All documents as application/x-ndjson' } },
    async ({ params }, reply) => {
      const chunks = exportDocuments(node.database.collection(params.collection), { signal: closing });
      return reply.type('application/x-ndjson').send(Readable.from(chunks));
    },
  );
}
