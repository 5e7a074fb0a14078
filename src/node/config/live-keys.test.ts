// Goal: a reload takes over exactly the keys that docs/configuration.md names. Method: two configurations that differ in every number.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ALL_KEYS, changedKeys, countsAtOnce, LIVE_KEYS, loadConfig, takeLive } from './index.ts';

const load = (options: Record<string, unknown> = {}) =>
  loadConfig({ workingDirectory: '/nowhere', environment: {}, options });

test('keys that take effect in a running node are taken over, and no others', async () => {
  const running = await load();
  const next = await load({
    nodeId: 'other',
    network: { tcpPort: 1, retryAttempts: 9, knownPeers: [{ address: 'a:1' }] },
    sync: { syncIntervalMs: 7, maxQueueSize: 8 },
    limits: { writeQueueMax: 5, peersMax: 6 },
  });
  const taken = takeLive(running, next);
  const changed = changedKeys(running, next);
  assert.equal(changed.length, 8);
  assert.deepEqual(
    changedKeys(running, taken),
    changed.filter((key) => LIVE_KEYS.has(key)),
  );
  assert.deepEqual(changedKeys(taken, next), ['NodeId', 'Network.TcpPort', 'Limits.PeersMax']);
});

test('tokens take effect in a running node if it had one and still has one', async () => {
  const none = await load();
  const [a, b] = await Promise.all(
    ['a', 'b'].map((name) => load({ network: { authToken: `the token ${name} of all` } })),
  );
  const withOld = await load({ network: { authToken: 'the token b of all', previousAuthToken: 'the token a of all' } });
  for (const [running, next, isLive] of [
    [none, a!, false],
    [a!, none, false],
    [a!, b!, true],
    [a!, withOld, true],
  ] as const) {
    assert.equal(countsAtOnce('Network.AuthToken', running, next), isLive);
    assert.deepEqual(changedKeys(running, takeLive(running, next)), isLive ? changedKeys(running, next) : []);
  }
});

test('the page names every key that takes effect in a running node', async () => {
  const page = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  const section = /## Changes while a node runs\n(.*?)\n## /s.exec(page)![1]!;
  for (const key of LIVE_KEYS) {
    assert.ok(ALL_KEYS.has(key), `${key} is a key`);
    const name = key.startsWith('Limits.') ? '`Limits`' : `${key.split('.')[1]}\``;
    assert.ok(section.includes(name), key);
  }
});
