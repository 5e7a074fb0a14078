import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { PersistenceError } from '../../core/errors/index.ts';
import type { BlobInfo } from '../../database/index.ts';
import { parseByteRange } from './byte-range.ts';
import { anyBytes } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

export const BLOBS_LISTED_MAX = 1000;
export const BLOB_TYPE = 'application/octet-stream';

const DAY_MS = 24 * 3600 * 1000;
const id = { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the bytes, as `$blob` says' } as const;
const schema = { tags: ['blobs'] };
const blobParams = { type: 'object', required: ['id'], properties: { id } } as const;

export function blobRoutes(app: FastifyInstance, context: RouteContext): void {
  streamRoutes(app, context);
  blobMaintenanceRoutes(app, context);
}

/** Blobs as streams in both directions, in bounded memory. */
function streamRoutes(app: FastifyInstance, { node, closing }: RouteContext): void {
  const { blobs } = node.database;
  // The body is not buffered. Only this media type is accepted, because a form on a foreign page cannot send it.
  app.addContentTypeParser(BLOB_TYPE, (_request, payload, done) => done(null, payload));

  app.post<{ Body: Readable; Querystring: { type?: string } }>(
    '/api/v1/blobs',
    {
      schema: {
        ...schema,
        summary: `Store the bytes of an ${BLOB_TYPE} body; answers with the reference to put into a document`,
        body: { content: { [BLOB_TYPE]: { schema: anyBytes } } },
        querystring: {
          type: 'object',
          properties: { type: { type: 'string', maxLength: 255, description: 'Media type, kept in the reference' } },
        },
      },
    },
    async ({ body, query }, reply) => reply.code(201).send(await blobs.put(body ?? [], { ...query, signal: closing })),
  );
  app.get<{ Params: { id: string } }>(
    '/api/v1/blobs/:id',
    {
      schema: { ...schema, params: blobParams, summary: 'The bytes of a blob, or one range of them' },
    },
    async ({ params, headers, method }, reply) => {
      const ref = { $blob: params.id };
      const { size } = await blobs.presence(ref);
      if (size === null) throw blobNotFound(params.id);
      const etag = `"${params.id}"`;
      // The bytes under an id never change, so a matching entity tag is always valid.
      reply.headers({ etag, 'accept-ranges': 'bytes', 'x-content-type-options': 'nosniff' }).type(BLOB_TYPE);
      if (headers['if-none-match'] === etag) return reply.code(304).send();
      const range = parseByteRange(headers.range, size);
      if (range === null) return reply.code(416).header('content-range', `bytes */${size}`).send();
      const { start, end } = range ?? { start: 0, end: size };
      if (range !== undefined) reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${size}`);
      reply.header('content-length', end - start);
      if (method === 'HEAD') return reply.send(Readable.from([]));
      return reply.send(Readable.from(blobs.get(ref, { start, end, signal: closing }), { objectMode: false }));
    },
  );
}

/** Lists blobs, and collects those that nothing refers to. */
function blobMaintenanceRoutes(app: FastifyInstance, { node, closing }: RouteContext): void {
  const { blobs } = node.database;
  app.get<{ Querystring: { limit: number; after?: string } }>(
    '/api/v1/blobs',
    {
      schema: {
        ...schema,
        summary: 'Blobs that this node knows of, in order of their ids',
        querystring: {
          type: 'object',
          properties: {
            limit: { type: 'integer', minimum: 1, maximum: BLOBS_LISTED_MAX, default: 100 },
            after: { ...id, description: '`next` of the answer before' },
          },
        },
      },
    },
    async ({ query: { limit, ...rest } }) => {
      const found: BlobInfo[] = [];
      for await (const blob of blobs.list(rest)) if (found.push(blob) > limit) break;
      const page = found.slice(0, limit);
      return { blobs: page, next: found.length > limit ? page.at(-1)!.$blob : null };
    },
  );
  app.post<{ Body: { olderThanDays?: number } }>(
    '/api/v1/blobs/collection',
    {
      schema: {
        ...schema,
        summary: 'Delete, on all nodes, blobs that no document has referred to for so long',
        body: {
          type: 'object',
          additionalProperties: false,
          properties: { olderThanDays: { type: 'number', minimum: 7, maximum: 36_500, default: 7 } },
        },
      },
    },
    async ({ body }) => blobs.collect({ olderThanMs: (body.olderThanDays ?? 7) * DAY_MS, signal: closing }),
  );
}

function blobNotFound(blob: string): PersistenceError {
  return new PersistenceError('BLOB_NOT_FOUND', `there is no blob ${blob} on this node, or it has not arrived yet`, {
    details: { blob },
  });
}
