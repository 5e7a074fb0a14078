/**
 * Goal: a node announces its current replica id, whatever made it take a new one (R9, R11), so that twins can be found.
 * Method: a discovery of the same cluster listens to the node until it hears the tag of the new id.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CollectionName } from '../../src/core/ids/index.ts';
import { silentLogger } from '../../src/core/logging/index.ts';
import type { LocalDatabase } from '../../src/database/index.ts';
import { beaconTag } from '../../src/net/discovery/beacon-key.ts';
import { createUdpPort, Discovery, deriveBeaconKey } from '../../src/net/discovery/index.ts';
import { deriveClusterKey } from '../../src/net/tcp/index.ts';
import { loadConfig } from '../../src/node/config/index.ts';
import { openNode } from '../../src/node/open-node.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { systemRandom } from '../../src/node/system-random.ts';
import { eventually, freeUdpPort, HUNG_MS, makeFolder } from './node-process.ts';

const TOKEN = 'a token for the tests of integration';

test('a node announces the new id that it took after damage', { timeout: HUNG_MS }, async (t) => {
  const udpPort = await freeUdpPort();
  const folder = await makeFolder(t);
  const options = {
    Network: { TcpPort: 0, UdpPort: udpPort, LocalhostOnly: true },
    Persistence: { DatabasePath: join(folder, 'entgldb.db') },
  };
  const config = await loadConfig({ workingDirectory: folder, environment: {}, options });
  const node = await openNode({ config, clusterTokens: [TOKEN], logger: silentLogger, network: true });
  t.after(() => node.close());

  const key = deriveBeaconKey((await deriveClusterKey(TOKEN)).beacon);
  const watcher = new Discovery(
    { udpPort, tcpPort: 5000, deviceKey: 'A'.repeat(43), replica: 'f'.repeat(32), keys: [key] },
    { port: createUdpPort({ localhostOnly: true }), clock: systemClock, random: systemRandom, onEvent: () => {} },
  );
  t.after(() => watcher.close());
  await watcher.start();
  const hears = (replica: string): Promise<number> =>
    eventually(`the beacon of ${replica}`, () => watcher.peers()[0]?.replicaTag === beaconTag(key, 'replica', replica));

  const { replica } = node.database as LocalDatabase;
  await hears(replica.id);
  const { before, after } = replica.damaged.forget('stock' as CollectionName, [], 'a test');
  assert.notEqual(before, after);
  await hears(after);
});
