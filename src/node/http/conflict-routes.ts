import type { FastifyInstance } from 'fastify';
import { noBody } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

/** The conflict ledger of this node. */
export function conflictRoutes(app: FastifyInstance, { node }: RouteContext): void {
  const schema = { tags: ['conflicts'] };
  app.get<{ Querystring: { limit: number; collection?: string } }>(
    '/api/v1/conflicts',
    {
      schema: {
        ...schema,
        summary: 'The conflict ledger, newest first',
        querystring: {
          type: 'object',
          properties: {
            limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
            collection: { type: 'string', minLength: 1 },
          },
        },
      },
    },
    async ({ query }) => ({ conflicts: await node.database.conflicts(query) }),
  );
  app.post<{ Params: { id: number } }>(
    '/api/v1/conflicts/:id/restore',
    {
      schema: {
        ...schema,
        summary: 'Write the version that lost again',
        body: noBody,
        params: { type: 'object', required: ['id'], properties: { id: { type: 'integer', minimum: 1 } } },
      },
    },
    async ({ params }) => {
      await node.database.restoreConflict(params.id);
      return { restored: params.id };
    },
  );
}
