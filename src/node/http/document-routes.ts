import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ConcurrencyError, ConfigurationError, DocumentNotFoundError } from '../../core/errors/index.ts';
import type { Collection, Document, WriteOptions } from '../../database/index.ts';
import { anyObject, type DocumentParams, documentParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

const PATH = '/api/v1/collections/:collection/documents/:key';

/**
 * One document. The entity tag is the version token: `If-Match: "tag"` writes only over that version, `If-None-Match: *` only
 * if there is no document. Otherwise the answer is 412 with the current token in the details.
 */
export function documentRoutes(app: FastifyInstance, { node }: RouteContext): void {
  const schema = { tags: ['documents'], params: documentParams };
  const collectionOf = (params: DocumentParams): Collection => node.database.collection(params.collection);

  app.get<{ Params: DocumentParams }>(
    PATH,
    { schema: { ...schema, summary: 'Read a document' } },
    async (request, reply) => {
      const { collection, key } = request.params;
      const found = await collectionOf(request.params).getVersioned(key);
      if (found === undefined) throw new DocumentNotFoundError(collection, key);
      reply.header('ETag', entityTag(found.version));
      if (request.headers['if-none-match'] === entityTag(found.version)) return reply.code(304).send();
      return reply.send(found.value);
    },
  );

  app.put<{ Params: DocumentParams; Body: Document }>(
    PATH,
    { schema: { ...schema, summary: 'Write a document', body: anyObject } },
    async (request, reply) => {
      const collection = collectionOf(request.params);
      await collection.put(request.params.key, request.body, await writeOptions(request, collection));
      return reply.code(204).send();
    },
  );

  app.delete<{ Params: DocumentParams }>(
    PATH,
    { schema: { ...schema, summary: 'Delete a document' } },
    async (request, reply) => {
      const collection = collectionOf(request.params);
      const { key } = request.params;
      const existed = await collection.delete(key, await writeOptions(request, collection));
      if (!existed) throw new DocumentNotFoundError(request.params.collection, key);
      return reply.code(204).send();
    },
  );
}

function entityTag(version: string): string {
  return `"${version}"`;
}

async function writeOptions(
  request: FastifyRequest<{ Params: DocumentParams }>,
  collection: Collection,
): Promise<WriteOptions> {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (noneMatch !== undefined) {
    if (noneMatch === '*' && match === undefined) return { ifVersion: null };
    throw new ConfigurationError('USAGE', 'a write takes "If-None-Match: *" or "If-Match: <tag>", not another or both');
  }
  if (match === undefined) return {};
  if (match === '*') return { ifVersion: await anyVersion(request.params, collection) };
  const version = /^"([^"]*)"$/.exec(match)?.[1];
  if (version !== undefined) return { ifVersion: version };
  throw new ConfigurationError(
    'USAGE',
    'If-Match takes one entity tag in double quotes, as the ETag of a read gives it',
  );
}

/** For `If-Match: *`: the version of the document, whichever it is; there must be one. */
async function anyVersion({ collection: name, key }: DocumentParams, collection: Collection): Promise<string> {
  const found = await collection.getVersioned(key);
  if (found === undefined) throw new ConcurrencyError(name, key, undefined);
  return found.version;
}
