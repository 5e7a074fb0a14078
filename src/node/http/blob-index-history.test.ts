/**
 * Goal: blobs, histories and indexes work over HTTP: streams and ranges according to RFC 9110, bounded lists, a clear status for
 * each mistake. Method: a real server on a free loopback port over a real node, requests with fetch.
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import type { RunningNode } from '../node-api.ts';
import type { HttpServer } from './index.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const OCTETS = { 'content-type': 'application/octet-stream' };
const BYTES = Buffer.from(createSeededRandom(11).bytes(2 * LIMITS.documentBytesMax));

const alarms: string[] = [];
const { promise: brokenOff, resolve: onBrokenOff } = Promise.withResolvers<void>();
const logger: Logger = {
  ...silentLogger,
  info: (_fields, message) => {
    if (/broke its request off/.test(message)) onBrokenOff();
  },
  error: (_fields, message) => alarms.push(message),
};

let served: TestServer;
let node: RunningNode;
let server: HttpServer;

before(async () => {
  served = await startTestServer({ logger });
  ({ node, server } = served);
});
after(() => served.close());

const ask = (method: string, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.address.port}/api/v1/${path}`, { method, ...init });

const post = (path: string, body: object): Promise<Response> =>
  ask('POST', path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

async function reasonOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { error: { reason: string } }).error.reason;
}

test('a blob larger than any document is stored from a stream and read in full and in ranges', async () => {
  const stored = await ask('POST', 'blobs?type=image/png', { body: BYTES, headers: OCTETS });
  assert.equal(stored.status, 201);
  const { $blob, size, type } = (await stored.json()) as { $blob: string; size: number; type: string };
  assert.deepEqual([size, type], [BYTES.length, 'image/png']);

  const whole = await ask('GET', `blobs/${$blob}`);
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), BYTES);
  assert.equal(whole.headers.get('content-length'), String(size));
  const seen = { 'if-none-match': whole.headers.get('etag')! };
  assert.equal((await ask('GET', `blobs/${$blob}`, { headers: seen })).status, 304);
  assert.equal((await ask('HEAD', `blobs/${$blob}`)).headers.get('content-length'), String(size));

  for (const [range, start, end] of [
    ['bytes=0-9', 0, 10],
    [`bytes=${size - 10}-`, size - 10, size],
    ['bytes=-7', size - 7, size],
    [`bytes=100-${10 * size}`, 100, size],
  ] as const) {
    const part = await ask('GET', `blobs/${$blob}`, { headers: { range } });
    assert.equal(part.status, 206, range);
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/${size}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), BYTES.subarray(start, end));
  }
  for (const range of [`bytes=${size}-`, 'bytes=-0']) {
    const none = await ask('GET', `blobs/${$blob}`, { headers: { range } });
    assert.equal(none.status, 416, range);
    assert.equal(none.headers.get('content-range'), `bytes */${size}`);
  }
  for (const range of ['bytes=5-4', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=-'])
    assert.equal((await ask('GET', `blobs/${$blob}`, { headers: { range } })).status, 200, 'it is ignored');
});

test('an aborted upload leaves no blob, and no error in the log', { timeout: 30_000 }, async () => {
  const before = ((await (await ask('GET', 'blobs')).json()) as { blobs: object[] }).blobs.length;
  const headers = { ...OCTETS, 'content-length': BYTES.length };
  const upload = request({ port: server.address.port, method: 'POST', path: '/api/v1/blobs', headers });
  upload.on('error', () => {});
  upload.write(BYTES.subarray(0, 300_000), () => upload.destroy());
  await brokenOff;
  assert.deepEqual(alarms, []);
  assert.equal(((await (await ask('GET', 'blobs')).json()) as { blobs: object[] }).blobs.length, before);
});

test('blobs are listed page by page, and collected', async () => {
  for (const text of ['a', 'b', 'c']) await ask('POST', 'blobs', { body: text, headers: OCTETS });
  const all = ((await (await ask('GET', 'blobs')).json()) as { blobs: { $blob: string }[] }).blobs;
  const paged: { $blob: string }[] = [];
  for (let after = ''; ; ) {
    const page = await ask('GET', `blobs?limit=1${after}`);
    const { blobs, next } = (await page.json()) as { blobs: { $blob: string }[]; next: string | null };
    paged.push(...blobs);
    if (next === null) break;
    after = `&after=${next}`;
  }
  assert.deepEqual(paged, all);
  const collected = (await (await post('blobs/collection', {})).json()) as { blobs: number; waiting: number };
  assert.deepEqual([collected.blobs, collected.waiting], [0, all.length]);
});

test('unknown blobs, wrong times and wrong content types are refused', async () => {
  const missing = await ask('GET', `blobs/${'0'.repeat(64)}`);
  assert.equal(missing.status, 404);
  assert.equal(await reasonOf(missing), 'BLOB_NOT_FOUND');
  assert.equal((await ask('GET', 'blobs/short')).status, 400);
  assert.equal((await ask('POST', 'blobs', { body: 'x', headers: { 'content-type': 'text/plain' } })).status, 415);
  const document = { body: 'x', headers: OCTETS };
  assert.equal((await ask('PUT', 'collections/c/documents/k', document)).status, 415, 'only blobs are bytes');
  assert.equal((await post('blobs/collection', { olderThanDays: 6 })).status, 400);
  assert.equal((await ask('GET', 'blobs?limit=100000')).status, 400);
});

test('the history of a document is listed, and an earlier value is written again', async () => {
  const users = node.database.collection<{ n: number }>('users', { history: {} });
  for (const n of [1, 2, 3]) await users.put('user/1', { n });
  const path = `collections/users/documents/${encodeURIComponent('user/1')}`;
  const { entries } = (await (await ask('GET', `${path}/history`)).json()) as {
    entries: { value: { n: number } | null; since: number }[];
  };
  assert.deepEqual(
    entries.map(({ value }) => value?.n),
    [3, 2, 1, undefined],
  );
  assert.equal((await post(`${path}/undo`, {})).status, 204);
  assert.deepEqual(await users.get('user/1'), { n: 2 });
  assert.equal((await post(`${path}/undo`, { to: entries[2]!.since })).status, 204);
  assert.deepEqual(await users.get('user/1'), { n: 1 });
  const forgotten = await post('collections/users/documents/nobody/undo', {});
  assert.equal(forgotten.status, 404);
  assert.equal(await reasonOf(forgotten), 'HISTORY_FORGOTTEN');
});

test('an index is made, listed and removed', async () => {
  const path = 'collections/places/indexes';
  await node.database.collection('places').put('p1', { city: 'Brno' });
  const made = await post(path, { on: ['city'], name: 'by city' });
  assert.equal(made.status, 201);
  const index = { name: 'by city', on: ['city'], state: 'ready', progress: 1 };
  assert.deepEqual(await made.json(), index);
  assert.deepEqual(await (await ask('GET', path)).json(), { indexes: [index] });
  for (const removed of [true, false])
    assert.deepEqual(await (await ask('DELETE', `${path}/by%20city`)).json(), { removed });
  const wrong = await post(path, { in: ['city'] });
  assert.equal(wrong.status, 400);
  assert.equal(await reasonOf(wrong), 'INVALID_INDEX');
});
