/**
 * Goal: a node shows which other nodes are kept out, why, and what to do, and stops showing them once they are let in.
 * Method: whole command lines on two real nodes with different tokens; the second is given the address of the first.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createReplicaId } from '../../core/ids/index.ts';
import { createDeviceKey, createTlsTransport, deriveClusterKey } from '../../net/tcp/index.ts';
import { CAPABILITIES, createSessionCodec } from '../../sync/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { systemClock } from '../system-clock.ts';
import { createTestShell, type Result } from './test-shell.ts';

const { folder, begin, cli } = createTestShell();

async function until(ask: () => Promise<Result>, isSo: (result: Result) => boolean): Promise<Result> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const result = await ask();
    if (isSo(result)) return result;
    assert.ok(performance.now() < deadline, `not within a minute: ${result.out}${result.err}`);
  }
}

test('status, peers, health and doctor on both nodes name a node with another token, until it has the right one', async () => {
  await writeFile(join(folder(), 'office.token'), 'the token of the office');
  await writeFile(join(folder(), 'till.token'), 'the token of a till that was mistyped');
  const office = begin(['start', '--data', 'office', '--no-discovery', '--token-file', 'office.token', '--json']);
  const { tcp } = JSON.parse(await office.ready) as { tcp: { port: number } };
  const startTill = (token: string) =>
    begin(['start', '--data', 'till', '--no-discovery', '--token-file', token, '--peer', `127.0.0.1:${tcp.port}`]);
  const till = startTill('till.token');
  await till.ready;

  const differs = /another cluster token.*compare the fingerprint/;
  for (const [data, address] of [
    ['office', /127\.0\.0\.1 /],
    ['till', new RegExp(`127\\.0\\.0\\.1:${tcp.port} `)],
  ] as const) {
    const status = await until(
      () => cli('status', '--data', data),
      ({ out }) => differs.test(out),
    );
    assert.match(status.out, address);
    assert.match(status.out, /tried (once|\d+ times)/);
    assert.match((await cli('peers', '--data', data)).out, differs);
    const health = await cli('health', '--data', data);
    assert.match(health.out, /DEGRADED +refusals/);
    assert.equal(health.code, 0, 'the node works');
    const doctor = await cli('doctor', '--data', data);
    assert.match(doctor.out, new RegExp(`^WARNING node: .*${differs.source}`, 'm'));
    assert.match(doctor.out, /^ok +cluster token: the running node has one, fingerprint [0-9a-f]{4}-[0-9a-f]{4}$/m);
  }
  await cli('init', '--data', 'other');
  const asked = await cli('doctor', `127.0.0.1:${tcp.port}`, '--data', 'other');
  assert.match(asked.out, /FAILED +address: 127\.0\.0\.1:\d+ is a node with another cluster token; compare/);
  const status = JSON.parse((await cli('status', '--data', 'office', '--json')).out);
  assert.equal(status.refusals[0].cause, 'other-token');

  till.stop();
  await till.done;
  const corrected = startTill('office.token');
  await corrected.ready;
  for (const data of ['office', 'till']) {
    await until(
      () => cli('health', '--data', data),
      ({ out }) => /ok +peers +1 of/.test(out),
    );
    for (const command of ['status', 'peers', 'health', 'doctor'])
      assert.doesNotMatch((await cli(command, '--data', data)).out, differs, `${command} of ${data}`);
  }
  corrected.stop();
  office.stop();
  await Promise.all([corrected.done, office.done]);
});

test('a node that speaks another protocol is named, with what to do', async () => {
  const token = 'the token of the office';
  await writeFile(join(folder(), 'office.token'), token);
  const office = begin(['start', '--data', 'office', '--no-discovery', '--token-file', 'office.token', '--json']);
  const { tcp } = JSON.parse(await office.ready) as { tcp: { port: number } };
  const random = createSeededRandom(3);
  const future = createTlsTransport({
    keys: [await deriveClusterKey(token)],
    deviceKey: createDeviceKey(random),
    clock: systemClock,
  });
  const channel = await future.dial({ host: '127.0.0.1', port: tcp.port });
  channel.onFrame = () => {};
  const closed = new Promise((resolve) => {
    channel.onClose = resolve;
  });
  channel.send(
    createSessionCodec().encode({
      kind: 'hello',
      protocol: { min: 2, max: 3 },
      node: 'from the future',
      replica: createReplicaId(random),
      startId: 'life',
      wallMs: 0,
      collections: null,
      capabilities: CAPABILITIES,
      resolvers: new Map(),
    }),
  );
  await closed;
  assert.match(
    (await cli('status', '--data', 'office')).out,
    /! no sync with 127\.0\.0\.1 \(tried once, .* ago\): its release speaks another protocol; update the older/,
  );
  await future.close();
  office.stop();
  await office.done;
});
