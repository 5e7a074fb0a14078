/**
 * Goal: the files in docs/deploy match the program and each other. Method: the example is loaded as the service loads it, and
 * compared with the times in the unit.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type LoadedConfig, loadConfig } from './index.ts';

const folder = new URL('../../../docs/deploy/', import.meta.url);

function loadExample(): Promise<LoadedConfig> {
  const configFile = fileURLToPath(new URL('appsettings.json', folder));
  return loadConfig({ configFile, workingDirectory: tmpdir(), environment: {} });
}

test('the example of docs/deploy loads without a warning and means what it says', async () => {
  const { values, warnings, dataDirectory } = await loadExample();
  assert.deepEqual(warnings, []);
  assert.equal(values['Network.TcpPort'], 5000);
  assert.equal(values['Network.UdpPort'], 6000);
  assert.equal(values['Network.AuthTokenFile'], '/etc/entgldb/cluster.token');
  assert.deepEqual(values['Network.KnownPeers'], []);
  assert.equal(values['Persistence.CacheSizeMb'], 50);
  assert.equal(values['Persistence.BackupPath'], '/var/lib/entgldb/backups');
  assert.equal(values['Health.IntervalSeconds'], 60);
  assert.equal(values['Http.Host'], '127.0.0.1');
  assert.deepEqual([...values['Logging.LogLevel']], [['Default', 'Information']]);
  assert.equal(dataDirectory, '/var/lib/entgldb');
});

test('the unit gives a graceful stop more time than the node takes, and lets the node write to its data directory', async () => {
  const unit = await readFile(new URL('entgldb.service', folder), 'utf8');
  const { values, dataDirectory } = await loadExample();
  const stopSeconds = Number(unit.match(/^TimeoutStopSec=(\d+)$/m)?.[1]);
  assert.ok(stopSeconds * 1000 > values['Health.ShutdownTimeoutMs'], `TimeoutStopSec is ${stopSeconds}`);
  assert.equal(`/var/lib/${unit.match(/^StateDirectory=(\S+)$/m)?.[1]}`, dataDirectory);
});
