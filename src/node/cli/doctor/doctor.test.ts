/**
 * Goal: doctor finds what is wrong with an installation and says it in plain words. Method: whole command lines on folders that each
 * lack or hold one thing, and against a real node.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeOwnerLock } from '../../../store/sqlite/files/index.ts';
import { loadConfig } from '../../config/index.ts';
import { writeNodeFile } from '../../node-file.ts';
import { createTestShell } from '../test-shell.ts';
import { checkReach } from './check-network.ts';

const { folder, begin, cli } = createTestShell();

test('doctor says in plain words what is missing before the first start', async () => {
  const { code, out } = await cli('doctor', '--data', 'till');
  assert.equal(code, 0, out);
  assert.match(out, /^WARNING configuration: there is no file/m);
  assert.match(out, /^WARNING cluster token: none in the settings: .*this node talks to nobody/m);
  assert.match(out, /^ok +database file: .*not there yet/m);
  assert.match(out, /^WARNING backups: none; set Persistence\.BackupPath/m);
  assert.match(out, /^WARNING node: no node is running/m);
  assert.match(out, /^ok +sync port: a free one is picked/m);
});

test('doctor finds a running node, its health, and what is wrong with an address', async () => {
  await cli('init', '--data', 'till');
  const node = begin(['start', '--data', 'till', '--node-id', 'till-1']);
  await node.ready;
  const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const reached = await cli('doctor', `127.0.0.1:${port}`, '--data', 'till');
  assert.equal(reached.code, 0, reached.out);
  assert.match(reached.out, /^ok +node: till-1 is running/m);
  assert.match(reached.out, /^ok +health: /m);
  assert.match(reached.out, /^ok +cluster token: set/m);
  assert.match(reached.out, /accepts connections; if its node is no peer, compare the tokens/);
  const { tcp } = JSON.parse((await cli('status', '--data', 'till', '--json')).out).address;
  assert.match((await cli('doctor', `127.0.0.1:${tcp.port}`, '--data', 'till')).out, /with the same cluster token/);
  silent.close();
  await once(silent, 'close');
  const refused = await cli('doctor', `127.0.0.1:${port}`, '--data', 'till', '--json');
  assert.equal(refused.code, 1);
  const { findings } = JSON.parse(refused.out);
  assert.match(findings.at(-1).message, /nothing listens on that port/);
  assert.equal((await cli('doctor', 'nonsense')).code, 2);
  node.stop();
  await node.done;
});

test('doctor notices that two nodes have one name, as with a settings file that was copied', async () => {
  await cli('init', '--data', 'office', '--node-id', 'shop');
  await cp(join(folder(), 'office'), join(folder(), 'till'), { recursive: true });
  const office = begin(['start', '--data', 'office', '--no-discovery']);
  await office.ready;
  const { tcp } = JSON.parse((await cli('status', '--data', 'office', '--json')).out).address;
  const till = begin(['start', '--data', 'till', '--no-discovery', '--peer', `127.0.0.1:${tcp.port}`]);
  await till.ready;
  let isConnected = false;
  while (!isConnected) isConnected = (await cli('peers', '--data', 'till')).out.includes(' connected ');
  const { code, out } = await cli('doctor', '--data', 'till');
  assert.match(
    out,
    new RegExp(`^WARNING node names: 2 nodes are named shop: this one, the one at 127.0.0.1:${tcp.port};`, 'm'),
  );
  assert.equal(code, 0, out);
  office.stop();
  await office.done;
  let alone = out;
  while (!alone.includes('is not connected')) alone = (await cli('doctor', '--data', 'till')).out;
  assert.match(
    alone,
    new RegExp(`^FAILED +peer: .* is not connected: .*; .entgldb doctor 127.0.0.1:${tcp.port}. says what`, 'm'),
  );
  const { http } = JSON.parse((await cli('status', '--data', 'till', '--json')).out).address;
  await fetch(`http://127.0.0.1:${http.port}/api/v1/network`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"paused":true}',
  });
  const off = (await cli('doctor', '--data', 'till')).out;
  assert.match(off, /^WARNING node: this node was taken off the network: /m);
  assert.doesNotMatch(off, /^(FAILED|WARNING) +peers?: /m, 'peers are not to blame');
  till.stop();
  await till.done;
});

test('doctor reports a node that does not answer, and everything else all the same', async () => {
  const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  await mkdir(join(folder(), 'till'));
  const hanging = { pid: 1, nodeId: 'till', url: `http://127.0.0.1:${port}`, secret: 'of its start' };
  await writeNodeFile(join(folder(), 'till', 'entgldb.db'), hanging);
  const { code, out, err } = await cli('doctor', '--data', 'till');
  silent.close();
  assert.equal(err, '');
  assert.match(out, /^FAILED +node: the node at .* did not answer within \d+ ms/m);
  assert.match(out, /^ok +database file: /m);
  assert.equal(code, 1);
});

test('doctor notices a database file that is damaged, empty or of another program', async () => {
  await cli('put', 'c', 'k', '{"a":1}', '--data', 'till');
  const path = join(folder(), 'till', 'entgldb.db');
  const whole = await readFile(path);
  assert.match((await cli('doctor', '--data', 'till')).out, /^ok +database file: /m);
  for (const [bytes, says] of [
    [Buffer.alloc(0), /^FAILED +database file: .*entgldb\.db is empty but was not before; restore a backup/m],
    [Buffer.from('a letter to the bank'), /^FAILED +database file: .* is no database; nothing was changed\. Restore/m],
    [
      Buffer.from(whole).fill(7, 4096),
      /^FAILED +database file: .* cannot be read as a database; `entgldb status` says/m,
    ],
  ] as const) {
    await writeFile(path, bytes);
    const { code, out } = await cli('doctor', '--data', 'till');
    assert.match(out, says);
    assert.equal(code, 1);
  }
  const owner = takeOwnerLock(path, process.pid);
  const { out } = await cli('doctor', '--data', 'till');
  owner.release();
  assert.match(out, /^ok +database file: /m, 'a file that is open may be in the middle of a change');
});

test('doctor does not take the backup of another node for one of this database', async () => {
  const settings = { Persistence: { BackupPath: join(folder(), 'backups') } };
  for (const name of ['a', 'b']) {
    await mkdir(join(folder(), name));
    await writeFile(join(folder(), name, 'appsettings.json'), JSON.stringify({ EntglDb: settings }));
    await cli('put', 'c', 'k', '{}', '--data', name);
  }
  await cli('backup', '--data', 'a');
  assert.match((await cli('doctor', '--data', 'a')).out, /^ok +backups: .*the newest was made/m);
  assert.match((await cli('doctor', '--data', 'b')).out, /^WARNING backups: .*none of this database yet/m);
});

test('doctor reports a weak token, an unwritable folder, and a node that nobody can find', async () => {
  await writeFile(join(folder(), 'token'), 'short');
  await writeFile(join(folder(), 'not-a-folder'), '');
  const settings = {
    Network: { AuthTokenFile: 'token', EnableDiscovery: false, TcpPort: 0 },
    Persistence: { BackupPath: 'not-a-folder/backups' },
    Http: { Enabled: false },
  };
  await writeFile(join(folder(), 'appsettings.json'), JSON.stringify({ EntglDb: settings }));
  const { code, out } = await cli('doctor');
  assert.equal(code, 1);
  assert.match(out, /^FAILED +cluster token: .*has 5 characters/m);
  assert.match(out, /^FAILED +backups: .*not-a-folder is a file, and a folder belongs there/m);
  assert.match(out, /^FAILED +reach: .*this node can find nobody/m);
});

test('an interface with IPv6 alone counts as a network, loopback does not', async () => {
  const config = await loadConfig({ workingDirectory: folder(), environment: {} });
  const info = { netmask: '', mac: '', cidr: null };
  const lo = { ...info, address: '127.0.0.1', family: 'IPv4', internal: true } as const;
  const v6 = { ...info, address: 'fe80::1', family: 'IPv6', internal: false, scopeid: 2 } as const;
  assert.equal(checkReach(config, { lo: [lo] })[0]!.state, 'failed');
  assert.deepEqual(checkReach(config, { lo: [lo], eth0: [v6] })[0], {
    point: 'network interfaces',
    state: 'ok',
    message: 'eth0 fe80::1',
  });
  const v4 = { ...info, address: '192.0.2.1', family: 'IPv4', internal: false } as const;
  assert.equal(checkReach(config, { eth0: [v6, v4] })[0]!.message, 'eth0 192.0.2.1');
});
