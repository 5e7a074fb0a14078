/**
 * Goal: the HTTP API does what it promises, for honest and for hostile clients. Method: a real server on a free loopback port
 * over a real node, requests with fetch and raw sockets.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { METRICS } from '../../diagnostics/index.ts';
import { loadConfig } from '../config/index.ts';
import type { RunningNode } from '../node-api.ts';
import { openNode } from '../open-node.ts';
import { systemClock } from '../system-clock.ts';
import { type HttpServer, startHttpServer } from './index.ts';
import { startTestServer, TEST_OPTIONS, type TestServer } from './test-server.ts';

const SECRET = TEST_OPTIONS.startSecret;

let served: TestServer;
let folder: string;
let node: RunningNode;
let server: HttpServer;
let url: string;

before(async () => {
  served = await startTestServer();
  ({ folder, node, server, url } = served);
});
after(() => served.close());

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const isText = typeof body === 'string';
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    headers: { ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

function assertError(answer: Awaited<ReturnType<typeof call>>, status: number, reason: string): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.json.error.reason, reason);
  assert.deepEqual(Object.keys(answer.json.error), ['code', 'reason', 'message', 'details']);
}

describe('documents', () => {
  const path = '/api/v1/collections/users/documents/user1';

  test('are written, read, replaced and deleted', async () => {
    assert.equal((await call('PUT', path, { name: 'Alice' })).status, 204);
    const read = await call('GET', path);
    assert.deepEqual(read.json, { name: 'Alice' });
    assert.equal((await call('GET', path, undefined, { 'if-none-match': read.headers.get('etag')! })).status, 304);
    assert.equal((await call('DELETE', path)).status, 204);
    assertError(await call('DELETE', path), 404, 'DOCUMENT_NOT_FOUND');
    assertError(await call('GET', path), 404, 'DOCUMENT_NOT_FOUND');
  });

  test('are changed only over the version that was read', async () => {
    assert.equal((await call('PUT', path, { n: 1 }, { 'if-none-match': '*' })).status, 204);
    assertError(await call('PUT', path, { n: 2 }, { 'if-none-match': '*' }), 412, 'CONCURRENCY_CONFLICT');
    const etag = (await call('GET', path)).headers.get('etag')!;
    assert.equal((await call('PUT', path, { n: 2 }, { 'if-match': etag })).status, 204);
    const refused = await call('PUT', path, { n: 3 }, { 'if-match': etag });
    assertError(refused, 412, 'CONCURRENCY_CONFLICT');
    assert.equal(`"${refused.json.error.details.current}"`, (await call('GET', path)).headers.get('etag'));
    assertError(await call('DELETE', path, undefined, { 'if-match': etag }), 412, 'CONCURRENCY_CONFLICT');
    assert.equal((await call('PUT', path, { n: 4 }, { 'if-match': '*' })).status, 204);
    assertError(await call('PUT', path, {}, { 'if-match': 'naked' }), 400, 'USAGE');
    await call('DELETE', path);
    assertError(await call('PUT', path, {}, { 'if-match': '*' }), 412, 'CONCURRENCY_CONFLICT');
  });

  test('may have any key and collection name, percent-encoded', async () => {
    const odd = `/api/v1/collections/${encodeURIComponent('a/ä b')}/documents/${encodeURIComponent('../😀?#%'.repeat(90))}`;
    assert.equal((await call('PUT', odd, { odd: true })).status, 204);
    assert.deepEqual((await call('GET', odd)).json, { odd: true });
  });

  test('may have members of any name, and are stored exactly as sent or not at all', async () => {
    const json = { 'content-type': 'application/json' };
    const odd = '{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}';
    assert.equal((await call('PUT', path, odd, json)).status, 204);
    assert.equal((await call('GET', path)).text, odd);
    const response = await fetch(`${url}${path}`, {
      method: 'PUT',
      headers: json,
      body: Buffer.from('{"name":"M\xfcller"}', 'latin1'),
    });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /is not UTF-8/);
    await call('DELETE', path);
  });

  test('that are invalid are refused, each with its reason', async () => {
    assertError(await call('PUT', path, '[1]', { 'content-type': 'application/json' }), 400, 'USAGE');
    assertError(await call('PUT', path, '{"a":', { 'content-type': 'application/json' }), 400, 'USAGE');
    const text = await call('PUT', path, '{"a":1}', { 'content-type': 'text/plain' });
    assertError(text, 415, 'USAGE');
    assert.match(text.json.error.message, /send application\/json/);
    assertError(await call('PUT', path, { pad: 'x'.repeat(LIMITS.documentBytesMax) }), 413, 'DOCUMENT_TOO_LARGE');
    assertError(await call('PUT', path, { pad: 'x'.repeat(2 * LIMITS.documentBytesMax) }), 413, 'DOCUMENT_TOO_LARGE');
    const long = `/api/v1/collections/users/documents/${'x'.repeat(1025)}`;
    assertError(await call('PUT', long, {}), 400, 'INVALID_NAME');
    assertError(await call('GET', '/api/v1/nothing'), 404, 'USAGE');
  });
});

describe('queries', () => {
  before(async () => {
    const documents = Array.from({ length: 150 }, (_, i) => [`n${String(i).padStart(3, '0')}`, { i }] as const);
    await node.database.collection('numbers').putMany(documents);
  });

  test('find with filter, sort, skip and limit, and count', async () => {
    const query = { filter: { i: { $gte: 100 } }, sort: { i: -1 }, skip: 1, limit: 2 };
    const found = await call('POST', '/api/v1/collections/numbers/query', query);
    assert.deepEqual(found.json.documents, [
      { key: 'n148', value: { i: 148 } },
      { key: 'n147', value: { i: 147 } },
    ]);
    const rest = { filter: { i: { $gte: 145 } }, sort: { i: -1 }, fields: ['none'], after: found.json.next };
    assert.deepEqual((await call('POST', '/api/v1/collections/numbers/query', rest)).json, {
      documents: [
        { key: 'n146', value: {} },
        { key: 'n145', value: {} },
      ],
      next: null,
    });
    const { sort } = query;
    const explained = await call('POST', '/api/v1/collections/numbers/explain', { filter: query.filter, sort });
    assert.deepEqual([explained.status, explained.json.index, explained.json.sort], [200, null, 'memory']);
    const counted = await call('POST', '/api/v1/collections/numbers/count', { filter: { i: { $lt: 10 } } });
    assert.deepEqual(counted.json, { count: 10 });
  });

  test('are bounded, and wrong ones are refused', async () => {
    assert.equal((await call('POST', '/api/v1/collections/numbers/query', {})).json.documents.length, 100);
    assertError(await call('POST', '/api/v1/collections/numbers/query', { limit: 1001 }), 400, 'USAGE');
    assertError(await call('POST', '/api/v1/collections/numbers/query', { sort: { i: 2 } }), 400, 'USAGE');
    assertError(
      await call('POST', '/api/v1/collections/numbers/query', { filter: { i: { $near: 1 } } }),
      400,
      'INVALID_FILTER',
    );
  });
});

describe('transfer', () => {
  test('an export can be imported, and a bad line is named', async () => {
    const lines = Array.from({ length: 2500 }, (_, i) => JSON.stringify({ key: `k${i}`, value: { i } }));
    const type = { 'content-type': 'application/x-ndjson' };
    const path = '/api/v1/collections/transfer';
    assert.deepEqual((await call('POST', `${path}/import`, lines.join('\n'), type)).json, { imported: 2500 });
    const exported = await call('GET', `${path}/export`);
    assert.deepEqual(exported.text.trimEnd().split('\n').sort(), [...lines].sort());
    const refused = await call('POST', `${path}/import`, '{"id":1}\nnot json', type);
    assertError(refused, 400, 'INVALID_DOCUMENT');
    assert.equal(refused.json.error.details.line, 2);
    assert.deepEqual((await call('POST', `${path}/import?keyField=sku`, '{"sku":"s1"}', type)).json, { imported: 1 });
  });
});

describe('the node', () => {
  test('reports health, liveness, readiness and status', async () => {
    const health = await call('GET', '/health');
    assert.equal(health.status, 200);
    assert.equal(health.json.isHealthy, true);
    assert.deepEqual((await call('GET', '/health/live')).json, { isLive: true });
    assert.deepEqual((await call('GET', '/health/ready')).json, { isReady: true });
    assert.equal((await call('GET', '/api/v1/status')).json.nodeId, node.status().nodeId);
    assert.deepEqual((await call('GET', '/api/v1/peers')).json, { peers: [] });
    assert.ok((await call('GET', '/api/v1/collections')).json.collections.length > 0);
  });

  test('answers 503 with the report if it is unhealthy', async () => {
    const report = { ...(await node.health()), isHealthy: false, databaseHealthy: false, errors: ['disk'] };
    const sick: RunningNode = { ...node, health: async () => report, status: () => node.status(), peers: () => [] };
    const own = await startHttpServer(TEST_OPTIONS, { node: sick, clock: systemClock, logger: silentLogger });
    const base = `http://127.0.0.1:${own.address.port}`;
    const health = await fetch(`${base}/health`);
    assert.equal(health.status, 503);
    assert.deepEqual(((await health.json()) as typeof report).errors, ['disk']);
    assert.equal((await fetch(`${base}/health/ready`)).status, 503);
    assert.equal((await fetch(`${base}/health/live`)).status, 200);
    await own.close();
  });

  test('is taken off the network and back', async () => {
    assertError(await call('POST', '/api/v1/network', { paused: true }), 400, 'USAGE');
    assertError(await call('POST', '/api/v1/network', { paused: 'no' }), 400, 'USAGE');
    const config = await loadConfig({
      workingDirectory: folder,
      environment: {},
      options: { persistence: { databasePath: 'paused.db' }, network: { tcpPort: 0, enableDiscovery: false } },
    });
    const online = await openNode({ config, clusterTokens: [], logger: silentLogger, network: true });
    const { tcp } = online.address();
    await online.setNetworkPaused(true);
    assert.equal(online.address().tcp, null);
    assert.equal(online.status().isNetworkPaused, true);
    assert.match(
      online.status().notices.join(),
      /was taken off the network: .*\{"paused":false\} to \/api\/v1\/network/,
    );
    await online.setNetworkPaused(false);
    assert.deepEqual(online.address().tcp, tcp, 'peers that know its address find it again');
    assert.equal(online.status().isNetworkPaused, false);
    assert.doesNotMatch(online.status().notices.join(), /off the network/);
    await online.close();
  });

  test('exposes every metric by its name, and describes its API', async () => {
    await call('GET', '/health');
    const { text } = await call('GET', '/metrics');
    for (const [name, { labels }] of Object.entries(METRICS)) {
      assert.match(text, new RegExp(`^# HELP ${name} `, 'm'));
      // This node has no peers; every other metric must have a value.
      if (!labels.some((label) => label === 'peer')) assert.match(text, new RegExp(`^${name}(?:_count)?[{ ]`, 'm'));
    }
    assert.match(text, /^entgldb_health_check\{check="database"\} 2$/m);
    assert.match(text, /^entgldb_healthy\{part="all"\} 1$/m);
    assert.match(text, /^entgldb_http_request_seconds_count\{method="GET",route="\/health",status="200"\} /m);
    assert.match(text, /^process_cpu_seconds_total /m);
    const { json } = await call('GET', '/openapi.json');
    const paths = Object.keys(json.paths);
    assert.ok(paths.includes('/api/v1/collections/{collection}/documents/{key}'), paths.join());
    assert.ok(paths.includes('/health'));
    const bodyTypes = (path: string) => Object.keys(json.paths[path].post.requestBody.content);
    assert.deepEqual(bodyTypes('/api/v1/blobs'), ['application/octet-stream']);
    assert.deepEqual(bodyTypes('/api/v1/collections/{collection}/import'), ['application/x-ndjson', 'text/csv']);
    assert.deepEqual(json.security, [], 'this server needs no token');
  });
});

test('a silent client does not keep the server from closing', { timeout: 5000 }, async () => {
  const own = await startHttpServer(TEST_OPTIONS, { node, clock: systemClock, logger: silentLogger });
  const client = connect(own.address.port, '127.0.0.1').resume();
  await once(client, 'connect');
  const gone = once(client, 'close');
  await own.close();
  await gone;
});

describe('access', () => {
  test('an address beyond loopback needs a token', async () => {
    await assert.rejects(
      startHttpServer({ ...TEST_OPTIONS, host: '0.0.0.0' }, { node, clock: systemClock, logger: silentLogger }),
      (error: Error) => isEntglDbError(error, 'OPTION_INVALID'),
    );
  });

  test('with a token configured, everything except /health/live needs it', async () => {
    const token = '0123456789abcdef0123456789abcdef';
    const own = await startHttpServer({ ...TEST_OPTIONS, token }, { node, clock: systemClock, logger: silentLogger });
    const base = `http://127.0.0.1:${own.address.port}`;
    for (const path of ['/health', '/health/ready', '/metrics', '/openapi.json', '/api/v1/status', '/api/v1/nothing']) {
      const refused = await fetch(`${base}${path}`);
      assert.equal(refused.status, 401, path);
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer');
      assert.ok(!(await refused.text()).includes(token));
    }
    assert.equal((await fetch(`${base}/health/live`)).status, 200);
    for (const right of [token, SECRET]) {
      const answer = await fetch(`${base}/api/v1/status`, { headers: { authorization: `Bearer ${right}` } });
      assert.equal(answer.status, 200);
    }
    await own.close();
  });

  test('a path that cannot be decoded is refused like any other mistake', async () => {
    assertError(await call('GET', '/api/v1/collections/c/documents/%zz'), 400, 'USAGE');
  });

  test('a foreign host name that resolves to this machine is refused', async () => {
    assert.match(
      await rawRequest('GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 403 /,
    );
    assert.match(await rawRequest('GET /api/v1/status HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 400 /);
  });

  test('a port in use is named with what to do', async () => {
    const { port } = server.address;
    await assert.rejects(
      startHttpServer({ ...TEST_OPTIONS, port }, { node, clock: systemClock, logger: silentLogger }),
      (error: Error) => isEntglDbError(error, 'PORT_IN_USE') && error.message.includes(`:${port}`),
    );
  });
});

function rawRequest(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(server.address.port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

test('the conflict ledger is listed, and a missing entry cannot be restored', async () => {
  const ask = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`${url}/api/v1/conflicts${path}`, { method, headers: { authorization: `Bearer ${SECRET}` } });
  const listed = await ask('?limit=5&collection=users');
  assert.deepEqual([listed.status, await listed.json()], [200, { conflicts: [] }]);
  assert.equal((await ask('/7/restore', 'POST')).status, 404);
  assert.equal((await ask('/x/restore', 'POST')).status, 400);
  assert.equal((await ask('?collection=a%2Fb%00')).status, 400);
});
