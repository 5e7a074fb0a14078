/**
 * Goal: clients that send or read so slowly that they merely occupy a place lose it, and others do not. Method: raw sockets to a
 * real server whose manual clock is advanced in steps until the socket is closed.
 */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { createManualClock } from '../../testing/index.ts';
import { watchBody } from './slow-body.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const clock = createManualClock();
let served: TestServer;

before(async () => {
  served = await startTestServer({ clock });
});
after(() => served.close());

async function open(request: string): Promise<Socket> {
  const socket = connect(served.server.address.port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  socket.write(request.replaceAll('\n', '\r\n'));
  return socket;
}

/** Advances the clock in steps until the condition holds. The bound only keeps a failing test from hanging. */
async function passUntil(isSo: () => boolean, eachStep: () => void = () => {}): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, 'it did not come to pass within a minute');
    clock.advance(1000);
    eachStep();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const JSON_BODY = 'Host: localhost\nContent-Type: application/json\nContent-Length: 1000\n\n{';

test('a body that drips in is cut off, whether it is a document or a blob', async () => {
  for (const [method, path] of [
    ['PUT', '/api/v1/collections/c/documents/k'],
    ['POST', '/api/v1/blobs'],
  ]) {
    const socket = (await open(`${method} ${path} HTTP/1.1\n${JSON_BODY}`)).resume();
    await passUntil(
      () => socket.closed,
      () => socket.write(' '),
    );
  }
});

test('a body that arrives steadily, or waits for this node, is not cut off, however long it takes', () => {
  const own = createManualClock();
  let isCut = false;
  const cut = (): void => {
    isCut = true;
  };
  const socket = { bytesRead: 500, destroy: cut };
  const request = Object.assign(new EventEmitter(), {
    socket,
    complete: false,
    destroyed: false,
    readableLength: 0,
    headers: { 'content-length': '1' },
  });
  watchBody(request as unknown as IncomingMessage, own);
  for (let window = 0; window < 60; window++) {
    socket.bytesRead += 64 * 1024;
    own.advance(30_000);
  }
  request.readableLength = 1;
  own.advance(600_000);
  assert.ok(!isCut);
  request.readableLength = 0;
  own.advance(60_000);
  assert.ok(isCut);
});

test('a stream of changes that nobody reads is ended, and its place becomes free', async () => {
  const changes = 'GET /api/v1/collections/c/changes HTTP/1.1\nHost: localhost\n\n';
  const sockets: Socket[] = [];
  for (let i = 0; i < 64; i++) sockets.push((await open(changes)).pause());
  const notes = served.node.database.collection('c');
  const text = 'x'.repeat(900_000);
  // More than the buffers of both ends can hold.
  let ended = 0;
  for (const socket of sockets) socket.on('close', () => ended++);
  for (let i = 0; i < 12; i++) await notes.put(`k${i}`, { text });
  const asked = (): Promise<Response> => fetch(`${served.url}/api/v1/collections/c/changes`);
  assert.equal((await asked()).status, 503);
  let status = 503;
  let isAsking = false;
  await passUntil(
    () => status === 200,
    () => {
      if (isAsking) return;
      isAsking = true;
      void asked().then((response) => {
        status = response.status;
        isAsking = false;
        return response.body?.cancel();
      });
    },
  );
  for (const socket of sockets) socket.destroy();
});
