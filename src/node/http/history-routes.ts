import type { FastifyInstance } from 'fastify';
import type { UndoOptions } from '../../database/index.ts';
import { type DocumentParams, documentParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

const PATH = '/api/v1/collections/:collection/documents/:key';
const moment = { type: 'integer', minimum: 0, description: 'Milliseconds since 1970 UTC' } as const;

/** What readers saw of a document before, if a program on this node keeps it. */
export function historyRoutes(app: FastifyInstance, { node }: RouteContext): void {
  const schema = { tags: ['history'], params: documentParams };
  app.get<{ Params: DocumentParams }>(
    `${PATH}/history`,
    { schema: { ...schema, summary: 'What readers see of a document and saw before, newest first' } },
    async ({ params: { collection, key } }) => ({ entries: await node.database.collection(collection).history(key) }),
  );
  app.post<{ Params: DocumentParams; Body: { to?: number } }>(
    `${PATH}/undo`,
    {
      schema: {
        ...schema,
        summary: 'Write again what readers saw before the last change, or at a moment, over what is there now',
        body: { type: 'object', additionalProperties: false, properties: { to: moment } },
      },
    },
    async ({ params: { collection, key }, body }, reply) => {
      const options: UndoOptions = body.to === undefined ? {} : { to: body.to };
      await node.database.collection(collection).undo(key, options);
      return reply.code(204).send();
    },
  );
}
