import type { FastifyInstance } from 'fastify';
import { type Document, type FindOptions, projectDocument } from '../../database/index.ts';
import { anyObject, type CollectionParams, collectionParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

/** Documents in one answer. `after` continues, and `export` streams a whole collection. */
const QUERY_LIMIT_DEFAULT = 100;
export const QUERY_LIMIT_MAX = 1000;

export interface QueryBody {
  readonly filter?: object;
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly skip?: number;
  readonly limit?: number;
}

export const queryBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    filter: anyObject,
    sort: { type: 'object', additionalProperties: { type: 'integer', enum: [1, -1] } },
    skip: { type: 'integer', minimum: 0, default: 0 },
    limit: { type: 'integer', minimum: 1, maximum: QUERY_LIMIT_MAX, default: QUERY_LIMIT_DEFAULT },
  },
} as const;

interface PageBody extends QueryBody {
  /** `next` of the previous page. */
  readonly after?: string;
  /** Only these members of each document. */
  readonly fields?: readonly string[];
}

const pageBody = {
  ...queryBody,
  properties: {
    ...queryBody.properties,
    after: { type: 'string', minLength: 1 },
    fields: { type: 'array', items: { type: 'string' }, maxItems: 1000 },
  },
} as const;

const countBody = { type: 'object', additionalProperties: false, properties: { filter: anyObject } } as const;

/** The options of a query, within the bounds of an HTTP answer. */
export function findOptionsOf({ skip = 0, limit = QUERY_LIMIT_DEFAULT, sort }: QueryBody): FindOptions {
  return { skip, limit, ...(sort === undefined ? {} : { sort }) };
}

export function queryRoutes(app: FastifyInstance, { node }: RouteContext): void {
  const schema = { tags: ['queries'], params: collectionParams };
  const path = '/api/v1/collections/:collection';

  app.post<{ Params: CollectionParams; Body: PageBody }>(
    `${path}/query`,
    { schema: { ...schema, summary: 'Find documents', body: pageBody } },
    async ({ params, body }) => {
      const { after, fields } = body;
      const options = { ...findOptionsOf(body), ...(after === undefined ? {} : { after }) };
      const { entries, next } = await node.database.collection(params.collection).findPage(body.filter, options);
      const shown = (value: Document): Document => (fields === undefined ? value : projectDocument(value, fields));
      return { documents: entries.map(([key, value]) => ({ key, value: shown(value) })), next };
    },
  );
  app.post<{ Params: CollectionParams; Body: QueryBody }>(
    `${path}/explain`,
    { schema: { ...schema, summary: 'Tell how a query would be answered', body: queryBody } },
    async ({ params, body }) => node.database.collection(params.collection).explain(body.filter, findOptionsOf(body)),
  );
  app.post<{ Params: CollectionParams; Body: Pick<QueryBody, 'filter'> }>(
    `${path}/count`,
    { schema: { ...schema, summary: 'Count documents', body: countBody } },
    async ({ params, body }) => ({ count: await node.database.collection(params.collection).count(body.filter) }),
  );
}
