/** Goal: mistakes of people who come from elsewhere are told in their words. Method: settings given in code, and names of keys. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { loadConfig } from './index.ts';
import { nearestKey } from './object-layer.ts';

const load = (options: object) => loadConfig({ workingDirectory: tmpdir(), environment: {}, options: { ...options } });

test('the last word of a key finds the keys of its section that end with it', () => {
  assert.equal(nearestKey('Network.port'), 'Network.TcpPort or Network.UdpPort');
  assert.equal(nearestKey('Network.Peers'), 'Network.KnownPeers');
  assert.equal(nearestKey('Persistence.Path'), 'Persistence.DatabasePath or Persistence.BackupPath');
  assert.equal(nearestKey('Network.MaxQueueSize'), 'Sync.MaxQueueSize');
});

test('a name of SQLite for a database in memory makes no file of that name', async () => {
  for (const databasePath of [':memory:', 'file:x.db?mode=memory', 'file:///tmp/x.db'])
    await assert.rejects(load({ persistence: { databasePath } }), {
      reason: 'OPTION_INVALID',
      message:
        /^Persistence\.DatabasePath is .* in the options given in code; allowed is a path: a database is always a file/,
    });
});

test('a section in code that is no object is told what an object looks like', async () => {
  await assert.rejects(load({ network: true }), { message: /allowed is an object such as .*, or false for none$/ });
});
