import type { FastifyInstance } from 'fastify';
import type { HealthReport } from '../../diagnostics/index.ts';
import type { RouteContext } from './route-context.ts';

/** Health, liveness, readiness and metrics: for people, load balancers, and Prometheus. */
export function healthRoutes(app: FastifyInstance, { node, metrics }: RouteContext): void {
  let underWay: Promise<HealthReport> | undefined;
  // Checks read the disk, so simultaneous callers share one.
  const check = (): Promise<HealthReport> => {
    underWay ??= node.health().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  app.get(
    '/health',
    { schema: { tags: ['health'], summary: '200 when healthy, 503 when not; the report either way' } },
    async (_, reply) => {
      const report = await check();
      return reply.code(report.isHealthy ? 200 : 503).send(report);
    },
  );
  app.get(
    '/health/live',
    { schema: { tags: ['health'], summary: '200 as long as the process answers; never needs a token' } },
    async () => ({
      isLive: true,
    }),
  );
  app.get(
    '/health/ready',
    { schema: { tags: ['health'], summary: '200 when the database can be used, else 503' } },
    async (_, reply) => {
      const { databaseHealthy } = await check();
      return reply.code(databaseHealthy ? 200 : 503).send({ isReady: databaseHealthy });
    },
  );
  app.get(
    '/metrics',
    { schema: { tags: ['health'], summary: 'Metrics in the text format of Prometheus' } },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}
