import type { FastifyInstance } from 'fastify';
import { noBody } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

/** The state of the node, and what can be done to it. */
export function statusRoutes(app: FastifyInstance, { node, closing }: RouteContext): void {
  const schema = { tags: ['node'] };
  app.get('/api/v1/status', { schema: { ...schema, summary: 'What the node is and does' } }, async () => node.status());
  app.get('/api/v1/peers', { schema: { ...schema, summary: 'Known peers and their state' } }, async () => ({
    peers: node.peers(),
  }));
  app.get('/api/v1/collections', { schema: { ...schema, summary: 'Collections' } }, async () => ({
    collections: node.database.collections(),
  }));
  app.post<{ Body: { paused: boolean } }>(
    '/api/v1/network',
    {
      schema: {
        ...schema,
        summary: 'Take the node off the network, or back',
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['paused'],
          properties: { paused: { type: 'boolean' } },
        },
      },
    },
    async ({ body }) => {
      await node.setNetworkPaused(body.paused);
      return { paused: body.paused };
    },
  );
  app.get('/api/v1/backups', { schema: { ...schema, summary: 'Backups in BackupPath, newest first' } }, async () => ({
    backups: await node.services.backups.list(),
  }));
  app.post<{ Body: { name?: string } }>(
    '/api/v1/backups',
    {
      schema: {
        ...schema,
        summary: 'Back up now; the name is resolved inside BackupPath',
        body: { type: 'object', additionalProperties: false, properties: { name: { type: 'string', minLength: 1 } } },
      },
    },
    async ({ body }, reply) => {
      const path = await node.maintenance.backup(body.name ?? null);
      return reply.code(201).send({ path });
    },
  );
  app.post(
    '/api/v1/integrity-check',
    { schema: { ...schema, summary: 'Check the whole database', body: noBody } },
    async () => {
      await node.maintenance.checkIntegrity(closing);
      return { isSound: true };
    },
  );
  app.post(
    '/api/v1/compaction',
    { schema: { ...schema, summary: 'Give unused space back', body: noBody } },
    async () => ({
      bytesFreed: await node.maintenance.compact(closing),
    }),
  );
}
