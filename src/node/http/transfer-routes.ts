import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import {
  type Delimiter,
  exportDocuments,
  importDocuments,
  type TransferFormat,
  withVersions,
} from '../transfer/index.ts';
import { anyBytes, type CollectionParams, collectionParams } from './request-schemas.ts';
import type { RouteContext } from './route-context.ts';

const CSV_TYPE = 'text/csv';
const NDJSON_TYPE = 'application/x-ndjson';

const delimiter = { type: 'string', enum: [',', ';', '|', '\t'], description: 'CSV: default a comma' } as const;

interface ImportQuery {
  readonly keyField?: string;
  readonly delimiter?: Delimiter;
  readonly allText?: boolean;
}

interface ExportQuery {
  readonly format?: TransferFormat;
  readonly delimiter?: Delimiter;
  readonly columns?: string;
  readonly versions?: boolean;
  readonly after?: string;
}

/** Whole collections as NDJSON or CSV streams, in bounded memory. */
export function transferRoutes(app: FastifyInstance, { node, limits, closing }: RouteContext): void {
  // The body is not buffered: the import reads it as it arrives, and bounds each line.
  app.addContentTypeParser([NDJSON_TYPE, CSV_TYPE], (_request, payload, done) => done(null, payload));
  const schema = { tags: ['transfer'], params: collectionParams };
  const path = '/api/v1/collections/:collection';

  app.post<{ Params: CollectionParams; Querystring: ImportQuery; Body: Readable }>(
    `${path}/import`,
    {
      schema: {
        ...schema,
        summary: 'Write the documents of an application/x-ndjson or text/csv body; an error names the line',
        body: { content: { [NDJSON_TYPE]: { schema: anyBytes }, [CSV_TYPE]: { schema: anyBytes } } },
        querystring: {
          type: 'object',
          properties: { keyField: { type: 'string', minLength: 1 }, delimiter, allText: { type: 'boolean' } },
        },
      },
    },
    async ({ params, query, body, headers }) => {
      const format = headers['content-type']?.startsWith(CSV_TYPE) === true ? 'csv' : 'ndjson';
      const { keyField, delimiter, allText } = query;
      const options = { limits, format, keyField, delimiter, isAllText: allText, signal: closing } as const;
      return { imported: await importDocuments(body, node.database.collection(params.collection), options) };
    },
  );
  app.get<{ Params: CollectionParams; Querystring: ExportQuery }>(
    `${path}/export`,
    {
      // A HEAD request would read the whole collection.
      exposeHeadRoute: false,
      schema: {
        ...schema,
        summary: 'All documents in order of key, as application/x-ndjson or text/csv',
        querystring: {
          type: 'object',
          properties: {
            format: { type: 'string', enum: ['ndjson', 'csv'] },
            delimiter,
            columns: { type: 'string', description: 'CSV: the fields to write, with commas. Default: all' },
            versions: { type: 'boolean', description: 'NDJSON: with the versions that each document consists of' },
            after: { type: 'string', minLength: 1, description: 'Only documents behind this key' },
          },
        },
      },
    },
    async ({ params, query }, reply) => {
      const { format, delimiter, columns, versions, after } = query;
      const collection = node.database.collection(params.collection);
      const source = versions === true && format !== 'csv' ? withVersions(collection) : collection;
      const options = { format, delimiter, columns: columns?.split(','), after, signal: closing };
      const type = format === 'csv' ? `${CSV_TYPE}; charset=utf-8` : NDJSON_TYPE;
      return reply.type(type).send(Readable.from(exportDocuments(source, options)));
    },
  );
}
