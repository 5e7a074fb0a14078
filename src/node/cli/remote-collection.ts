import { isEntglDbError } from '../../core/errors/index.ts';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import type {
  Document,
  FindOptions,
  HistoryEntry,
  IndexInfo,
  Page,
  PageOptions,
  ScanOptions,
  WaitOptions,
} from '../../database/index.ts';
import type { QueryPlan } from '../../store/index.ts';
import { QUERY_LIMIT_MAX } from '../http/index.ts';
import { type ExportSource, readLines } from '../transfer/index.ts';
import type { HttpClient } from './http-client.ts';
import type { DocumentAccess } from './node-target.ts';

/** Longest line that the user's own node may send. */
const EXPORT_LINE_BYTES_MAX = 256 * 1024 * 1024;

/** A collection of the running node. Refuses a name or key as the node's database does, before HTTP takes it for a part of an address. */
export function createRemoteCollection(client: HttpClient, name: string): DocumentAccess {
  const path = `/api/v1/collections/${encodeURIComponent(parseCollectionName(name))}`;
  const documentPath = (key: string): string => `${path}/documents/${encodeURIComponent(parseDocumentKey(key))}`;
  return {
    get: async (key) => {
      const found = await orMissing(client.json({ method: 'GET', path: documentPath(key) }));
      return found as Document | undefined;
    },
    put: async (key, value) => {
      await client.json({ method: 'PUT', path: documentPath(key), body: JSON.stringify(value) });
    },
    delete: async (key) => {
      const answer = client.json({ method: 'DELETE', path: documentPath(key) }).then(() => true);
      return (await orMissing(answer)) ?? false;
    },
    count: async (filter, { signal } = {}) => {
      const request = { method: 'POST', path: `${path}/count`, answerMsMax: Infinity, signal } as const;
      const { count } = (await client.json({ ...request, body: JSON.stringify({ filter }) })) as { count: number };
      return count;
    },
    findPage: (filter, options) => findPages(client, `${path}/query`, filter, options ?? {}),
    explain: async (filter, options) => {
      const body = JSON.stringify({ filter, sort: options?.sort, limit: options?.limit });
      return (await client.json({ method: 'POST', path: `${path}/explain`, body })) as QueryPlan;
    },
    putMany: async (documents) => {
      const lines = Array.from(documents, ([key, value]) => `${JSON.stringify({ key, value })}\n`);
      const body = lines.join('');
      await client.json({
        method: 'POST',
        path: `${path}/import`,
        body,
        type: 'application/x-ndjson',
        answerMsMax: Infinity,
      });
    },
    history: async (key) => {
      const answer = await client.json({ method: 'GET', path: `${documentPath(key)}/history` });
      return (answer as { entries: HistoryEntry[] }).entries;
    },
    undo: async (key, { to } = {}) => {
      const body = JSON.stringify({ to });
      await client.json({ method: 'POST', path: `${documentPath(key)}/undo`, body });
    },
    indexes: async () => {
      const answer = await client.json({ method: 'GET', path: `${path}/indexes` });
      return (answer as { indexes: IndexInfo[] }).indexes;
    },
    ensureIndex: async (index, { signal } = {}) => {
      const request = { method: 'POST', path: `${path}/indexes`, answerMsMax: Infinity, signal } as const;
      return (await client.json({ ...request, body: JSON.stringify(index) })) as IndexInfo;
    },
    dropIndex: async (index) => {
      const answer = await client.json({ method: 'DELETE', path: `${path}/indexes/${encodeURIComponent(index)}` });
      return (answer as { removed: boolean }).removed;
    },
    entries: (options) => documentsOf(createRemoteExport(client, name, false), options ?? {}),
  };
}

async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isEntglDbError(error, 'DOCUMENT_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Queries page by page, because an answer is bounded. */
async function findPages(
  client: HttpClient,
  path: string,
  filter: object | undefined,
  { sort, skip, limit = Infinity, after, signal }: FindOptions & PageOptions & WaitOptions,
): Promise<Page<Document>> {
  const entries: [string, Document][] = [];
  for (let from = after; ; ) {
    const isFirst = entries.length === 0;
    const page = Math.min(QUERY_LIMIT_MAX, limit - entries.length);
    const body = JSON.stringify({ filter, sort, limit: page, after: from, ...(isFirst && { skip }) });
    const { documents, next } = (await client.json({ method: 'POST', path, body, answerMsMax: Infinity, signal })) as {
      documents: { key: string; value: Document }[];
      next: string | null;
    };
    for (const { key, value } of documents) entries.push([key, value]);
    if (next === null || entries.length >= limit) return { entries, next };
    from = next;
  }
}

async function* documentsOf(
  source: ExportSource,
  options: ScanOptions,
): AsyncGenerator<[key: string, value: Document]> {
  for await (const [key, value] of source.entries(options)) yield [key, value];
}

/** The documents of a collection of the running node, with their versions if `isVersioned`. */
export function createRemoteExport(client: HttpClient, name: string, isVersioned: boolean): ExportSource {
  return {
    entries: async function* ({ after, signal }) {
      const query = new URLSearchParams({ versions: String(isVersioned), ...(after === undefined ? {} : { after }) });
      const path = `/api/v1/collections/${encodeURIComponent(name)}/export?${query}`;
      const bytes = client.bytes({ method: 'GET', path, answerMsMax: Infinity, signal });
      for await (const { text } of readLines(bytes, EXPORT_LINE_BYTES_MAX)) {
        const { key, value, versions } = JSON.parse(text) as { key: string; value: Document; versions?: object[] };
        yield versions === undefined ? [key, value] : [key, value, versions];
      }
    },
  };
}
