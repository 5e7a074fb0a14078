/**
 * Goal: streams of changes and of live queries give every change, also to a reader that was cut off and comes back. Method: a
 * real server over a real node, and readers that leave.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger } from '../../core/logging/index.ts';
import type { RunningNode } from '../node-api.ts';
import { systemClock } from '../system-clock.ts';
import { startHttpServer } from './index.ts';
import { startTestServer, TEST_OPTIONS, type TestServer } from './test-server.ts';

let served: TestServer;
let node: RunningNode;
let url: string;

before(async () => {
  served = await startTestServer();
  ({ node, url } = served);
});
after(() => served.close());

async function assertRefused(response: Response, reason: string): Promise<void> {
  assert.equal(response.status, 400);
  assert.equal(((await response.json()) as { error: { reason: string } }).error.reason, reason);
}

async function openStream(path: string, init: RequestInit = {}) {
  const controller = new AbortController();
  const response = await fetch(`${url}/api/v1/collections/watched/${path}`, { ...init, signal: controller.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const opening = Promise.withResolvers<string>();
  const next = async (): Promise<{ id: string; event: string; data: Record<string, unknown> }> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end === -1) {
        const { value, done } = await reader.read();
        if (done) throw new Error('the stream ended');
        text += value;
        continue;
      }
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const fields = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      if (fields.event !== undefined) return { id: fields.id!, event: fields.event, data: JSON.parse(fields.data!) };
      if (fields.id !== undefined) opening.resolve(fields.id);
    }
  };
  return { response, next, opening: opening.promise, close: () => controller.abort() };
}

test('changes are streamed as they happen, and resumed after the last one seen', async () => {
  const documents = node.database.collection('watched');
  const first = await openStream('changes');
  assert.equal(first.response.headers.get('content-type'), 'text/event-stream');
  await documents.put('a', { n: 1 });
  const change = await first.next();
  assert.deepEqual([change.event, change.data], ['put', { key: 'a', value: { n: 1 }, origin: 'local' }]);
  first.close();
  await documents.put('b', { n: 2 });
  const second = await openStream('changes', { headers: { 'last-event-id': change.id } });
  assert.equal((await second.next()).data.key, 'b');
  second.close();
  const third = await openStream(`changes?resume=${encodeURIComponent(change.id)}`);
  assert.equal((await third.next()).data.key, 'b');
  third.close();
});

test('changes that happen between two streams are not missed, even if the first one was cut before any came', async () => {
  const first = await openStream('changes');
  void first.next().catch(() => {});
  const id = await first.opening;
  first.close();
  await node.database.collection('watched').put('between', { n: 1 });
  const second = await openStream('changes', { headers: { 'last-event-id': id } });
  assert.equal((await second.next()).data.key, 'between');
  second.close();
  await node.database.collection('watched').delete('between');
});

test('those of a live query arrive as the whole result, then as differences', async () => {
  const documents = node.database.collection('watched');
  await documents.deleteMany(['a', 'b']);
  await documents.put('low', { n: 1 });
  const body = JSON.stringify({ filter: { n: { $gt: 0 } }, sort: { n: -1 }, limit: 2 });
  const headers = { 'content-type': 'application/json' };
  const live = await openStream('live', { method: 'POST', headers, body });
  const first = await live.next();
  assert.deepEqual([first.event, first.data], ['result', { documents: [{ key: 'low', value: { n: 1 } }] }]);
  await documents.put('high', { n: 9 });
  const second = await live.next();
  const added = { kind: 'added', key: 'high', value: { n: 9 }, index: 0 };
  assert.deepEqual([second.event, second.data], ['update', { changes: [added] }]);
  live.close();
  const wrong = { method: 'POST', headers, body: JSON.stringify({ filter: { $no: 1 } }) };
  await assertRefused(await fetch(`${url}/api/v1/collections/watched/live`, wrong), 'INVALID_FILTER');
});

test('changes do not start from a meaningless token', async () => {
  const path = '/api/v1/collections/watched/changes?resume=nonsense';
  await assertRefused(await fetch(`${url}${path}`), 'RESUME_TOKEN_INVALID');
});

test('streams end when the server closes', async () => {
  const own = await startHttpServer(TEST_OPTIONS, { node, clock: systemClock, logger: silentLogger });
  const response = await fetch(`http://127.0.0.1:${own.address.port}/api/v1/collections/watched/changes`);
  await own.close();
  assert.match(await response.text(), /^: still here/);
});
