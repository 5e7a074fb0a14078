import type { RouteOptions } from 'fastify';

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

/** An object whose members are judged elsewhere: a document, a filter. */
export const anyObject = { type: 'object', additionalProperties: true } as const;

/** The body of a route that takes none: left out, or an object without members. */
export const noBody = { type: 'object', nullable: true, additionalProperties: false, properties: {} } as const;

/**
 * Lets a route refuse every parameter of the query string that it does not name, as bodies refuse members. A misspelt one would be
 * passed over: an export with a misspelt `after` begins anew, changes without their `resume` leave out what was meanwhile.
 */
export function closeQuerystring(route: RouteOptions): void {
  const { querystring = { type: 'object', properties: {} } } = route.schema ?? {};
  route.schema = { ...route.schema, querystring: { ...(querystring as object), additionalProperties: false } };
}
