import type { FastifyRequest, RouteOptions } from 'fastify';

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

/** A body that is read as it arrives, and checked elsewhere. */
export const anyBytes = { description: 'Any bytes' } as const;

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

/** Clients send `Content-Type: application/json` by habit, also where there is nothing to send. */
export function takesNoBody({ routeOptions }: FastifyRequest): boolean {
  const body = routeOptions.schema?.body;
  return body === undefined || body === noBody;
}

/** In a route that names the members of its body, no body counts as one without members. */
export async function prepareBody(request: FastifyRequest): Promise<void> {
  const schema = request.routeOptions.schema?.body as typeof noBody | undefined;
  if (schema?.additionalProperties === false && request.body === undefined) request.body = {};
}

/**
 * Reads the numbers and booleans among the parameters of a path and of its query string, where everything is text. The
 * validator itself makes nothing of a text: in a body, "5" is not 5. What cannot be read is left, and then refused.
 */
export async function readParameters(request: FastifyRequest): Promise<void> {
  const { params, querystring } = request.routeOptions.schema ?? {};
  readTexts(request.params as Texts, params as ParameterSchema);
  readTexts(request.query as Texts, querystring as ParameterSchema);
}

type Texts = Record<string, unknown>;
type ParameterSchema = { readonly properties: Readonly<Record<string, { readonly type: string }>> } | undefined;

function readTexts(values: Texts, schema: ParameterSchema): void {
  for (const [name, { type }] of Object.entries(schema?.properties ?? {})) {
    const text = values[name];
    if (typeof text === 'string') values[name] = readText(text, type);
  }
}

function readText(text: string, type: string): unknown {
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  return type === 'boolean' && /^(true|false)$/.test(text) ? text === 'true' : text;
}
