import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { countedBytes } from './counted-bytes.ts';
import type { PeerServer } from './peer-database.ts';

type Pouch = PouchDB.Database<object>;

/** Serves the part of CouchDB's HTTP interface that PouchDB's replication reads, with nothing in between to slow it. */
export async function servePouch(db: Pouch): Promise<PeerServer> {
  const server = createServer((request, response) => {
    answer(db, request, response).then(
      (body) => response.end(JSON.stringify(body)),
      (error: { readonly status?: number }) => {
        response.statusCode = error.status ?? 500;
        response.end(JSON.stringify(error));
      },
    );
  });
  const bytes = countedBytes(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(db: Pouch, request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const [, , ...path] = pathname.split('/').map(decodeURIComponent);
  response.setHeader('content-type', 'application/json');
  switch (path[0]) {
    case undefined:
    case '':
      return db.info();
    case '_local':
      if (request.method === 'PUT') return db.put((await json(request)) as PouchDB.Core.PutDocument<object>);
      return db.get(`_local/${path[1]}`);
    case '_changes':
      return changes(db, searchParams, response);
    case '_bulk_get': {
      const { docs } = (await json(request)) as PouchDB.Core.BulkGetOptions;
      return db.bulkGet({ docs, revs: true, latest: true } as PouchDB.Core.BulkGetOptions);
    }
    default:
      throw { status: 404, error: 'not_found', reason: pathname };
  }
}

/** With `feed=longpoll`, waits for a change if there is none yet. */
async function changes(db: Pouch, search: URLSearchParams, response: ServerResponse): Promise<unknown> {
  const since = Number(search.get('since') ?? 0);
  const limit = Number(search.get('limit') ?? Number.MAX_SAFE_INTEGER);
  const list = () => db.changes({ since, limit, style: 'all_docs' } as PouchDB.Core.ChangesOptions);
  const found = await list();
  if (found.results.length > 0 || search.get('feed') !== 'longpoll') return found;
  const live = db.changes({ since, live: true, limit: 1 });
  response.once('close', () => live.cancel());
  await new Promise((resolve) => live.once('change', resolve));
  live.cancel();
  return list();
}
