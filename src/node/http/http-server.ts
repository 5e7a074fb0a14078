import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import { ConfigurationError, NetworkError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Address } from '../../net/index.ts';
import { isLoopback } from '../config/index.ts';
import type { RunningNode } from '../node-api.ts';
import { blobRoutes } from './blob-routes.ts';
import { changeRoutes } from './change-routes.ts';
import { conflictRoutes } from './conflict-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { errorResponse, schemaError } from './error-response.ts';
import { checkAccess, type GuardOptions } from './guard.ts';
import { healthRoutes } from './health-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { indexRoutes } from './index-routes.ts';
import { parseJsonBody } from './json-body.ts';
import { createNodeMetrics, type NodeMetrics } from './metrics.ts';
import { peerRoutes } from './peer-routes.ts';
import { queryRoutes } from './query-routes.ts';
import { closeQuerystring, prepareBody, readParameters, takesNoBody } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';
import { watchBody } from './slow-body.ts';
import { statusRoutes } from './status-routes.ts';
import { transferRoutes } from './transfer-routes.ts';

/** Most connections at the same time; more are closed. */
const CONNECTIONS_MAX = 256;
/** Room in a request besides a document: names, a query. */
const BODY_OVERHEAD_BYTES = 64 * 1024;
/** Longest key, percent-encoded. */
const PATH_PART_CHARS_MAX = 3 * 1024;
/** How long the headers of a request may take to arrive. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Requests that are still under way this long after the server was told to close are cut off. */
const FINISH_MS = 1000;

export interface HttpServerOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Bearer token. Null: none is needed, and `host` must be loopback. */
  readonly token: string | null;
  /** The secret of this start, which gives full access to whoever can read the node file. */
  readonly startSecret: string;
  readonly limits: Limits;
}

export interface HttpServerDeps {
  readonly node: RunningNode;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface HttpServer {
  readonly address: Address;
  /** Ends streams, gives requests under way one second to finish, then closes. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP server of a node. Loads fastify when called.
 *
 * Throws OPTION_INVALID for an address beyond loopback without a token, PORT_IN_USE, and LISTEN_FAILED.
 */
export async function startHttpServer(options: HttpServerOptions, deps: HttpServerDeps): Promise<HttpServer> {
  refuseOpenServer(options);
  const { fastify } = await import('fastify');
  const app: FastifyInstance = fastify({
    bodyLimit: options.limits.documentBytesMax + BODY_OVERHEAD_BYTES,
    routerOptions: { maxParamLength: PATH_PART_CHARS_MAX },
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    forceCloseConnections: 'idle',
    // What is not meant must be refused. Misspelt members must not be removed: a query without its filter finds everything. Values of
    // another type must not be made to fit: null would be 0. `verbose` lets errors name what is known, and what was sent.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, verbose: true } },
    schemaErrorFormatter: (problems, part) => schemaError(problems[0]!, part),
    // Requests that fastify itself refuses, such as a path that cannot be decoded, are answered like any other refusal.
    frameworkErrors: (error: FastifyError, _request: unknown, reply: FastifyReply) => {
      const { status, body } = errorResponse(error);
      reply.code(status).send(body);
    },
    logger: false,
  });
  const closing = new AbortController();
  const metrics = await createNodeMetrics(deps.node);
  await prepare(app, { tokens: tokensOf(options), isTokenRequired: options.token !== null }, metrics, deps);
  addRoutes(app, { ...deps, limits: options.limits, metrics, closing: closing.signal });
  const address = await listen(app, options);
  deps.logger.info({ host: address.host, port: address.port }, 'HTTP server started');
  return {
    address,
    close: async () => {
      closing.abort();
      // Fastify treats a silent client like one with a request under way.
      const cancel = deps.clock.setTimer(FINISH_MS, () => app.server.closeAllConnections());
      await app.close().finally(cancel);
    },
  };
}

function refuseOpenServer({ host, token }: HttpServerOptions): void {
  if (token !== null || isLoopback(host)) return;
  const allowed = '127.0.0.1, ::1 or localhost unless Http.TokenFile names a file with a bearer token';
  throw new ConfigurationError('OPTION_INVALID', `Http.Host is ${JSON.stringify(host)}; allowed is ${allowed}`, {
    details: { key: 'Http.Host', value: host, allowed },
  });
}

function tokensOf({ token, startSecret }: HttpServerOptions): string[] {
  return token === null ? [startSecret] : [token, startSecret];
}

/** Sets up what applies to every route: access, errors, JSON only, measurement, the API description. */
async function prepare(
  app: FastifyInstance,
  guard: GuardOptions,
  metrics: NodeMetrics,
  { logger, clock }: HttpServerDeps,
): Promise<void> {
  app.server.maxConnections = CONNECTIONS_MAX;
  // Fastify accepts text bodies by default. A form on a foreign page can send those, but not JSON.
  app.removeContentTypeParser('text/plain');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
    body.length === 0 && takesNoBody(request) ? undefined : parseJsonBody(body),
  );
  app.addHook('onRequest', async (request, reply) => {
    watchBody(request.raw, clock);
    if (request.routeOptions.url === '/health/live') return;
    const refusal = checkAccess(request.headers, guard);
    if (refusal === undefined) return;
    if (refusal.status === 401) reply.header('WWW-Authenticate', 'Bearer');
    const { body } = errorResponse(new NetworkError('ACCESS_DENIED', refusal.message));
    return reply.code(refusal.status).send(body);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    logger.debug({ method: request.method, route, status: reply.statusCode, ms: reply.elapsedTime }, 'HTTP request');
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, body } = errorResponse(error);
    // A client that leaves in the middle of its body is not an error of this node.
    if (request.raw.readableAborted) logger.info({ route: request.routeOptions.url }, 'a client broke its request off');
    else if (status === 503)
      logger.warn({ route: request.routeOptions.url, why: error.message }, 'HTTP request refused');
    else if (status >= 500)
      logger.error({ err: error, route: request.routeOptions.url, at: clock.now() }, 'HTTP request failed');
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `there is no ${request.method} ${request.url.split('?')[0]}; see /openapi.json`;
    return reply.code(404).send({ error: { code: 'CONFIG_ERROR', reason: 'USAGE', message, details: {} } });
  });
  const { default: swagger } = await import('@fastify/swagger');
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: {
        title: 'EntglDb node',
        version: '1',
        description: 'Documents, queries, changes and the state of a node.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: guard.isTokenRequired ? [{ bearer: [] }] : [],
    },
  });
}

/** Adds routes in a plugin, so that the plugin for the API description is ready before the first route. */
function addRoutes(app: FastifyInstance, context: RouteContext): void {
  app.register(async (scope) => {
    scope.addHook('onRoute', closeQuerystring);
    scope.addHook('preValidation', prepareBody);
    scope.addHook('preValidation', readParameters);
    healthRoutes(scope, context);
    documentRoutes(scope, context);
    queryRoutes(scope, context);
    changeRoutes(scope, context);
    conflictRoutes(scope, context);
    historyRoutes(scope, context);
    indexRoutes(scope, context);
    scope.register(async (own) => blobRoutes(own, context));
    transferRoutes(scope, context);
    statusRoutes(scope, context);
    peerRoutes(scope, context);
    scope.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  });
}

async function listen(app: FastifyInstance, { host, port }: HttpServerOptions): Promise<Address> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const { code } = cause as NodeJS.ErrnoException;
    const where = `${host}:${port}`;
    throw code === 'EADDRINUSE'
      ? new NetworkError(
          'PORT_IN_USE',
          `HTTP port ${where} is in use; choose another with --http-port, 0 for a free one`,
          { cause },
        )
      : new NetworkError('LISTEN_FAILED', `cannot listen for HTTP on ${where} (${code}); check Http.Host`, { cause });
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('an HTTP server listens on a port');
  return { host: bound.address, port: bound.port };
}
