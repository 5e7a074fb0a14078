import type { FastifyRequest, RouteOptions } from 'fastify';
import { ConfigurationError } from '../../core/errors/index.ts';

/** JSON schemas of path and query parts that several routes share. */
const collection = { type: 'string', minLength: 1, description: 'Name of the collection' } as const;
const key = { type: 'string', minLength: 1, description: 'Key of the document' } as const;

export const collectionParams = {
  type: 'object',
  required: ['collection'],
  properties: { collection },
} as const;

export const documentParams = {
  type: 'object',
  required: ['collection', 'key'],
  properties: { collection, key },
} as const;

export interface CollectionParams {
  readonly collection: string;
}

export interface DocumentParams extends CollectionParams {
  readonly key: string;
}

/** An object whose members are checked elsewhere: a document, a filter. */
export const anyObject = { type: 'object', additionalProperties: true } as const;

/** The body of a route without one: absent, or an object without members. */
export const noBody = { type: 'object', additionalProperties: false, properties: {} } as const;

/**
 * Makes a route refuse unknown parameters in the query string, as bodies refuse unknown members. A misspelt one would be ignored:
 * an export with a misspelt `after` starts over, and changes without their `resume` omit what happened meanwhile.
 */
export function closeQuerystring(route: RouteOptions): void {
  const { querystring = { type: 'object', properties: {} } } = route.schema ?? {};
  route.schema = { ...route.schema, querystring: { ...(querystring as object), additionalProperties: false } };
}

/**
 * Prepares the body of a route that names its members: no body counts as one without members, and a member that is null is refused,
 * since the validator would take null for 0 or false.
 */
export async function prepareBody(request: FastifyRequest): Promise<void> {
  const schema = request.routeOptions.schema?.body as typeof noBody | undefined;
  if (schema?.additionalProperties !== false) return;
  if (request.body === undefined) request.body = {};
  const { body } = request;
  if (typeof body !== 'object' || body === null) return;
  const [name] = Object.entries(body).find(([, value]) => value === null) ?? [];
  if (name !== undefined) throw new ConfigurationError('USAGE', `body/${name} is null; give a value, or leave it out`);
}
