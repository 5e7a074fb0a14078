import type { FastifyInstance } from 'fastify';
import type { IndexSpec } from '../../core/query/index.ts';
import { anyObject, type CollectionParams, collectionParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

const PATH = '/api/v1/collections/:collection/indexes';
const name = { type: 'string', minLength: 1, description: 'Name of the index' } as const;

/** Indexes of a collection on this node. */
export function indexRoutes(app: FastifyInstance, { node, closing }: RouteContext): void {
  const schema = { tags: ['indexes'], params: collectionParams };
  app.get<{ Params: CollectionParams }>(
    PATH,
    { schema: { ...schema, summary: 'Indexes, and how far they are built' } },
    async ({ params }) => ({ indexes: await node.database.collection(params.collection).indexes() }),
  );
  app.post<{ Params: CollectionParams; Body: Exclude<IndexSpec, string> }>(
    PATH,
    {
      schema: {
        ...schema,
        summary:
          'Make an index, such as { "on": ["city", "age"] }; answers when it is built, which goes on without you',
        body: anyObject,
      },
    },
    async ({ params, body }, reply) => {
      const index = await node.database.collection(params.collection).ensureIndex(body, { signal: closing });
      return reply.code(201).send(index);
    },
  );
  app.delete<{ Params: CollectionParams & { name: string } }>(
    `${PATH}/:name`,
    {
      schema: {
        ...schema,
        summary: 'Remove an index, where there is one of that name',
        params: {
          ...collectionParams,
          required: ['collection', 'name'],
          properties: { ...collectionParams.properties, name },
        },
      },
    },
    async ({ params }) => ({ removed: await node.database.collection(params.collection).dropIndex(params.name) }),
  );
}
