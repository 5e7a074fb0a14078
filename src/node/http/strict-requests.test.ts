/**
 * Goal: unknown members and parameters of a request are refused and named, never ignored, and so are values of another type, never made
 * to fit. Method: a real server over a real node, requests with fetch.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from './test-server.ts';

let served: TestServer;

before(async () => {
  served = await startTestServer();
  await served.node.database.collection('numbers').put('n001', { i: 1 });
});
after(() => served.close());

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return fetch(`${served.url}${path}`, { method, ...(body === undefined ? {} : json) });
}

async function assertRefused(answer: Response, message: string): Promise<void> {
  const { error } = (await answer.json()) as { error?: { reason: string; message: string } };
  assert.deepEqual([answer.status, error?.reason, error?.message], [400, 'USAGE', message]);
}

test('a body with an unknown member is refused, and does not find everything', async () => {
  for (const [route, body, known] of [
    ['collections/numbers/query', { fliter: { i: 1 } }, 'known: filter, sort, skip, limit, after, fields'],
    ['collections/numbers/count', { filtre: { i: 1 } }, 'known: filter'],
    ['collections/numbers/documents/n001/undo', { too: 1 }, 'known: to'],
    ['backups', { nam: 'x' }, 'known: name'],
    ['integrity-check', { collection: 'numbers' }, 'none is known here'],
    ['compaction', { force: true }, 'none is known here'],
  ] as const) {
    const name = Object.keys(body)[0];
    await assertRefused(
      await call('POST', `/api/v1/${route}`, body),
      `body has the unknown member "${name}"; ${known}`,
    );
  }
  assert.equal((await call('POST', '/api/v1/compaction')).status, 200);
  assert.equal((await call('POST', '/api/v1/compaction', {})).status, 200);
});

test('an unknown parameter in the query string is refused, on every route', async () => {
  for (const [method, path, known] of [
    ['GET', '/api/v1/collections/numbers/export?aftr=n100', 'known: format, delimiter, columns, versions, after'],
    ['GET', '/api/v1/collections/numbers/changes?resum=1', 'known: resume'],
    ['GET', '/api/v1/conflicts?collektion=users', 'known: limit, collection'],
    ['GET', '/api/v1/collections/numbers/documents/n001?fields=i', 'none is known here'],
    ['GET', '/api/v1/status?limit=3', 'none is known here'],
    ['DELETE', '/api/v1/collections/numbers/documents/n001?ifVersion=1', 'none is known here'],
    ['POST', '/api/v1/blobs?typ=image/png', 'known: type'],
    ['GET', '/health?verbose=1', 'none is known here'],
  ] as const) {
    const name = /\?(\w+)=/.exec(path)?.[1];
    await assertRefused(await call(method, path), `the query string has the unknown parameter "${name}"; ${known}`);
  }
  assert.equal((await call('GET', '/api/v1/collections/numbers/documents/n001')).status, 200);
});

test('a body that may be empty may be absent', async () => {
  const path = '/api/v1/collections/numbers';
  for (const route of ['query', 'count', 'documents/n001/undo']) {
    const answer = await call('POST', `${path}/${route}`);
    assert.notEqual(answer.status, 400, `${route}: ${await answer.text()}`);
  }
  assert.deepEqual(await (await call('POST', `${path}/count`)).json(), { count: 1 });
  assert.equal((await call('PUT', `${path}/documents/n001`)).status, 400);
  assert.equal((await call('PUT', `${path}/documents/n002`, { a: null })).status, 204);
});

test('an empty body of type JSON counts as none where there is nothing to send, and is refused elsewhere', async () => {
  const ask = (method: string, path: string) =>
    fetch(`${served.url}/api/v1/${path}`, { method, headers: { 'content-type': 'application/json' } });
  await served.node.database.collection('numbers').put('short-lived', {});
  assert.equal((await ask('DELETE', 'collections/numbers/documents/short-lived')).status, 204);
  assert.equal((await ask('POST', 'compaction')).status, 200);
  for (const route of ['collections/numbers/query', 'blobs/collection'])
    await assertRefused(await ask('POST', route), 'the body is empty; send JSON in UTF-8');
  await assertRefused(await ask('PUT', 'collections/numbers/documents/n003'), 'the body is empty; send JSON in UTF-8');
});

test('HEAD is answered at once, and not at all where an answer would take a whole collection or forever', {
  timeout: 30_000,
}, async () => {
  const head = async (path: string) => (await call('HEAD', `/api/v1/${path}`)).status;
  assert.equal(await head('collections/numbers/documents/n001'), 200);
  assert.equal(await head('collections/numbers/changes'), 404);
  assert.equal(await head('collections/numbers/export'), 404);
});

test('a value that is none of those allowed is refused with all of them', async () => {
  await assertRefused(
    await call('GET', '/api/v1/collections/numbers/export?format=xls'),
    'the query string/format must be one of "ndjson", "csv", but is "xls"',
  );
  await assertRefused(
    await call('POST', '/api/v1/collections/numbers/query', { sort: { i: 2 } }),
    'body/sort/i must be one of 1, -1, but is 2',
  );
});

test('a value of another type in a body is refused by name, and not made to fit', async () => {
  for (const [route, body, message] of [
    ['collections/numbers/query', { limit: '5' }, '/limit must be integer, but is "5"'],
    ['collections/numbers/query', { skip: null }, '/skip must be integer, but is null'],
    ['collections/numbers/query', { filter: 'i' }, '/filter must be object, but is "i"'],
    ['collections/numbers/query', { sort: { i: '1' } }, '/sort/i must be integer, but is "1"'],
    ['collections/numbers/query', { fields: 'i' }, '/fields must be array, but is "i"'],
    ['collections/numbers/query', { fields: [5] }, '/fields/0 must be string, but is 5'],
    ['collections/numbers/query', { after: 5 }, '/after must be string, but is 5'],
    ['collections/numbers/explain', { limit: true }, '/limit must be integer, but is true'],
    ['collections/numbers/live', { limit: '5' }, '/limit must be integer, but is "5"'],
    ['collections/numbers/count', { filter: [] }, '/filter must be object, but is []'],
    ['collections/numbers/documents/n001', 'text', ' must be object, but is "text"'],
    ['collections/numbers/indexes', [], ' must be object, but is []'],
    ['collections/numbers/documents/n001/undo', { to: '0' }, '/to must be integer, but is "0"'],
    ['collections/numbers/documents/n001/undo', { to: null }, '/to must be integer, but is null'],
    ['conflicts/1/restore', 'x', ' must be object, but is "x"'],
    ['backups', { name: 5 }, '/name must be string, but is 5'],
    ['blobs/collection', { olderThanDays: '8' }, '/olderThanDays must be number, but is "8"'],
    ['network', { paused: 'false' }, '/paused must be boolean, but is "false"'],
    ['network', { paused: null }, '/paused must be boolean, but is null'],
    ['verification', { peer: 7 }, '/peer must be string, but is 7'],
    ['integrity-check', 1, ' must be object, but is 1'],
    ['compaction', 'x'.repeat(100), ` must be object, but is "${'x'.repeat(39)}…`],
  ] as const) {
    const method = route.endsWith('n001') ? 'PUT' : 'POST';
    await assertRefused(await call(method, `/api/v1/${route}`, body), `body${message}; see /openapi.json`);
  }
});

test('parameters are text, and are read as the numbers and booleans that they say', async () => {
  for (const [path, message] of [
    ['/api/v1/conflicts?limit=ten', 'the query string/limit must be integer, but is "ten"'],
    ['/api/v1/conflicts?limit=', 'the query string/limit must be integer, but is ""'],
    ['/api/v1/conflicts?limit=1&limit=2', 'the query string/limit must be integer, but is ["1","2"]'],
    ['/api/v1/collections/numbers/export?versions=1', 'the query string/versions must be boolean, but is "1"'],
  ] as const)
    await assertRefused(await call('GET', path), `${message}; see /openapi.json`);
  await assertRefused(
    await call('POST', '/api/v1/conflicts/x/restore'),
    'params/id must be integer, but is "x"; see /openapi.json',
  );
  await assertRefused(
    await call('PUT', '/api/v1/collections/c/documents/', {}),
    'params/key is empty; see /openapi.json',
  );
  assert.equal((await call('POST', '/api/v1/conflicts/7/restore')).status, 404);
  assert.equal((await call('GET', '/api/v1/conflicts?limit=2')).status, 200);
  assert.equal((await call('GET', '/api/v1/collections/numbers/export?versions=true')).status, 200);
});

test('a body that is nested very deep is refused on every route that takes one, and the node goes on', async () => {
  const depth = 50_000;
  const headers = { 'content-type': 'application/json' };
  const nested = ['['.repeat(depth) + ']'.repeat(depth), `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`];
  const numbers = '/api/v1/collections/numbers';
  for (const [method, path, member] of [
    ['PUT', `${numbers}/documents/deep`, ''],
    ['PATCH', `${numbers}/documents/n001`, ''],
    ['POST', `${numbers}/query`, 'filter'],
    ['POST', `${numbers}/query`, 'sort'],
    ['POST', `${numbers}/count`, 'filter'],
    ['POST', `${numbers}/explain`, 'filter'],
    ['POST', `${numbers}/indexes`, 'on'],
    ['POST', `${numbers}/documents/n001/undo`, 'to'],
    ['POST', '/api/v1/backups', 'name'],
    ['POST', '/api/v1/verification', 'peer'],
    ['POST', '/api/v1/network', 'paused'],
  ] as const)
    for (const text of nested) {
      const body = member === '' ? text : `{"${member}":${text}}`;
      const answer = await fetch(`${served.url}${path}`, { method, headers, body });
      assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${path} ${member}: ${answer.status}`);
      await answer.text();
    }
  assert.equal((await fetch(`${served.url}${numbers}/documents/n001`)).status, 200);
});
