import type { FastifyInstance } from 'fastify';
import type { RouteContext } from './route-context.ts';

const peerName = { type: 'string', minLength: 1, description: 'Human name or device key of a node' } as const;

/** What this node and its peers hold of each other's writes. */
export function peerRoutes(app: FastifyInstance, { node, closing }: RouteContext): void {
  const schema = { tags: ['node'] };
  app.get<{ Querystring: { peer?: string } }>(
    '/api/v1/unsynced',
    {
      schema: {
        ...schema,
        summary: 'Writes of this node that no other node, or the one named, is known to hold, by collection',
        querystring: { type: 'object', properties: { peer: peerName } },
      },
    },
    async ({ query: { peer } }) => {
      const { receipts } = node.services;
      return { peer: peer ?? null, pending: peer === undefined ? receipts.unsynced() : receipts.pendingFor(peer) };
    },
  );
  app.post<{ Body: { peer?: string } }>(
    '/api/v1/verification',
    {
      schema: {
        ...schema,
        summary: 'Compare what this node holds with its connected peers, or with the one named',
        body: { type: 'object', additionalProperties: false, properties: { peer: peerName } },
      },
    },
    async ({ body: { peer } }) => ({ peers: await node.services.equality.verify(peer, { signal: closing }) }),
  );
}
