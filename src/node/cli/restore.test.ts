/**
 * Goal: `restore` puts back what `backup` wrote, even from a running node, and never replaces a database in use.
 * Method: as in run-cli.test.ts.
 */
import assert from 'node:assert/strict';
import { chmod, copyFile, link, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestShell } from './test-shell.ts';

const { folder, begin, cli } = createTestShell();
const inFolder = (...names: string[]): string => join(folder(), ...names);

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

/** Documents enough that the newest are in the redo log alone. */
const COUNT = 12;

/** Copies what `kill -9` would leave of a node with `COUNT` documents. */
async function fillAndKill(to: string): Promise<void> {
  const node = begin(['start', '--no-discovery']);
  await node.ready;
  for (let i = 0; i < COUNT; i++) await cli('put', 'things', `k${i}`, '{}');
  await mkdir(inFolder(to));
  for (const suffix of ['', '-wal', '-redo'])
    await copyFile(inFolder('data', `entgldb.db${suffix}`), inFolder(to, `entgldb.db${suffix}`));
  node.stop();
  await node.done;
}

test('a database that was killed is restored with the writes that only its logs hold, also after it was replaced', async () => {
  await cli('put', 'things', 'first', '{}', '--data', 'other');
  await writeFile(inFolder('appsettings.json'), '{ "EntglDb": { "Persistence": { "BackupPath": "backups/" } } }');
  await cli('backup', 'first.db', '--data', 'other', '--config', 'appsettings.json');
  await fillAndKill('killed');
  assert.equal((await cli('restore', 'killed/entgldb.db', '--data', 'copy')).code, 0);
  assert.equal((await cli('count', 'things', '--data', 'copy')).out, `${COUNT}\n`);
  const { aside } = JSON.parse((await cli('restore', 'backups/first.db', '--data', 'killed', '--json')).out);
  assert.equal((await cli('count', 'things', '--data', 'killed')).out, '1\n');
  assert.equal((await cli('restore', aside, '--data', 'killed')).code, 0);
  assert.equal((await cli('count', 'things', '--data', 'killed')).out, `${COUNT}\n`);
  assert.deepEqual(
    (await readdir(inFolder('killed'))).filter((name) => name.includes('.restoring')),
    [],
  );
});

test('a restore that was cut off before the exchange leaves the database as it was, and nothing else', async () => {
  await fillAndKill('cut');
  for (const suffix of ['', '-wal', '-redo'])
    await link(inFolder('cut', `entgldb.db${suffix}`), inFolder('cut', `entgldb.db.replaced-1${suffix}`));
  for (const suffix of ['', '-journal'])
    await writeFile(inFolder('cut', `entgldb.db.restoring${suffix}`), 'half of it');
  assert.equal((await cli('count', 'things', '--data', 'cut')).out, `${COUNT}\n`);
  const left = await readdir(inFolder('cut'));
  assert.deepEqual(
    left.filter((name) => /replaced|restoring/.test(name)),
    [],
  );
});

test('the file of a running node is not taken for a backup', async () => {
  const node = begin(['start', '--no-discovery']);
  await node.ready;
  const { code, err } = await cli('restore', 'data/entgldb.db', '--data', 'other');
  assert.equal(code, 3);
  assert.match(
    err,
    /^entgldb: process \d+ has .*entgldb\.db open, so it is no backup; make one of it with `entgldb backup`\n$/,
  );
  node.stop();
  await node.done;
});

const noModes = process.platform === 'win32' && 'Windows has no modes of files';
test('what is restored belongs to its owner alone, whoever could read or not write the backup', {
  skip: noModes,
}, async () => {
  await writeFile(inFolder('appsettings.json'), '{ "EntglDb": { "Persistence": { "BackupPath": "backups/" } } }');
  await cli('put', 'things', 'a', '{}');
  await cli('backup', 'b.db');
  await chmod(inFolder('backups', 'b.db'), 0o444);
  assert.equal((await cli('restore', 'b.db')).code, 0);
  assert.equal((await stat(inFolder('data', 'entgldb.db'))).mode & 0o777, 0o600);
});
