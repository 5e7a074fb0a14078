/**
 * Goal: a command whose node ends in the middle says that, blames nothing else, tells what is done, and leaves no half of a file.
 * Method: a server that passes for the node and breaks its connections.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeNodeFile } from '../node-file.ts';
import { createTestShell } from './test-shell.ts';

const { cli, folder } = createTestShell();

/** A node that answers for its status, and leaves every other request to the listener. */
async function startBreaking(t: TestContext, listener: RequestListener): Promise<void> {
  await cli('put', 'things', 'a', '{"id":1}');
  const databasePath = join(folder(), 'data', 'entgldb.db');
  const server = createServer((request, response) => {
    if (request.url === '/api/v1/status') response.end(JSON.stringify({ databasePath, replica: 'r' }));
    else listener(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeNodeFile(databasePath, { pid: process.pid, nodeId: 'a', url, secret: 'x' });
}

test('an export whose node ends leaves nothing, and names the node', async (t) => {
  await startBreaking(t, ({ url }, response) => {
    if (url?.includes('/export') !== true) return void response.end('{"count":2}');
    response.write('{"key":"a","value":{}}\n', () => response.destroy());
  });
  for (const to of [['out.ndjson'], []]) {
    const { code, err } = await cli('export', 'things', ...to);
    assert.equal(code, 3);
    assert.match(err, /^entgldb: the node at http:\S+ broke off its answer \(.+\); is it still running\?\n$/);
  }
  assert.deepEqual(
    (await readdir(folder())).filter((name) => name.startsWith('out')),
    [],
  );
});

test('an import whose node ends tells how many documents were imported', async (t) => {
  let requests = 0;
  await startBreaking(t, (request, response) => {
    request.resume();
    request.on('end', () => (++requests <= 2 ? response.end('{}') : response.destroy()));
  });
  await writeFile(join(folder(), 'in.ndjson'), Array.from({ length: 3500 }, (_, id) => `{"id":${id}}`).join('\n'));
  const { code, err } = await cli('import', 'things', 'in.ndjson', '--json');
  assert.equal(code, 3);
  const { reason, message, details } = JSON.parse(err).error;
  assert.equal(reason, 'NODE_UNREACHABLE');
  assert.match(message, /; 2,000 documents before it were imported; import the file again when this is put right$/);
  assert.equal(details.imported, 2000);
});
