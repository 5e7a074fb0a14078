/**
 * Goal: `restore` puts back what `backup` wrote, even from a running node, and never replaces a database in use.
 * Method: as in run-cli.test.ts.
 */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestShell } from './test-shell.ts';

const { folder, begin, cli } = createTestShell();

test('a backup of a running node is restored once it has stopped, and the replaced file is kept', async () => {
  await writeFile(
    join(folder(), 'appsettings.json'),
    '{ "EntglDb": { "Persistence": { "DatabasePath": "data/entgldb.db", "BackupPath": "backups/" } } }',
  );
  const node = begin(['start', '--no-discovery', '--tcp-port', '0', '--http-port', '0']);
  await node.ready;
  await cli('put', 'users', 'user1', '{"name":"Alice"}');
  const saved = await cli('backup', 'backups/good.db', '--json');
  assert.deepEqual(JSON.parse(saved.out), { path: join(folder(), 'backups', 'good.db') });
  assert.match((await cli('backup', 'good.db')).err, /exists/);
  assert.match((await cli('backup', '../elsewhere.db')).err, /leads upwards/);
  await cli('put', 'users', 'user2', '{"name":"Bob"}');

  const refused = await cli('restore', 'backups/good.db');
  assert.equal(refused.code, 3, refused.err);
  node.stop();
  assert.equal((await node.done).code, 0);
  assert.ok((await readdir(join(folder(), 'backups'))).includes('latest.db'), 'the backup at shutdown');

  const restored = await cli('restore', 'good.db', '--json');
  assert.equal(restored.code, 0, restored.err);
  assert.match(JSON.parse(restored.out).aside, /entgldb\.db\.replaced-\d+$/);
  assert.equal((await cli('count', 'users')).out, '1\n');
  const missing = await cli('restore', 'nothing.db');
  assert.match(missing.err, /there is no backup nothing\.db; looked for .*; check the name/);
  assert.equal(missing.code, 2);
});

test('commands make no automatic backups, which would displace those of the node', async () => {
  await writeFile(join(folder(), 'appsettings.json'), '{ "EntglDb": { "Persistence": { "BackupPath": "backups/" } } }');
  assert.equal((await cli('put', 'users', 'user1', '{}')).code, 0);
  assert.equal((await cli('count', 'users')).out, '1\n');
  await assert.rejects(readdir(join(folder(), 'backups')), { code: 'ENOENT' });
});

test('a command that finds the database beyond repair says that a backup replaced it', async () => {
  await writeFile(
    join(folder(), 'appsettings.json'),
    '{ "EntglDb": { "Persistence": { "DatabasePath": "data/entgldb.db", "BackupPath": "backups/" } } }',
  );
  assert.equal((await cli('put', 'users', 'user1', '{"name":"Alice"}')).code, 0);
  assert.equal((await cli('backup', 'good.db')).code, 0);
  await writeFile(join(folder(), 'data', 'entgldb.db'), 'this is no database any more');
  const read = await cli('get', 'users', 'user1');
  assert.equal(read.code, 0, read.err);
  assert.match(
    read.err,
    /^entgldb: the database could not be opened and was restored from .*; the damaged file is .*\n/,
  );
  assert.deepEqual(JSON.parse(read.out), { name: 'Alice' });
  assert.doesNotMatch((await cli('get', 'users', 'user1')).err, /could not be opened/, 'it is said once');
});
