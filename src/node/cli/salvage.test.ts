/**
 * Goal: from a database that cannot be opened any more, and has neither backup nor peers, `salvage` gets out what can be read, in files
 * that `import` takes, and says what it could not read. Method: as in run-cli.test.ts; rows are damaged behind the back of the database.
 */
import assert from 'node:assert/strict';
import { cp, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createTestShell } from './test-shell.ts';

const { folder, begin, cli } = createTestShell();
const inFolder = (...names: string[]): string => join(folder(), ...names);

function damage(sql: string): void {
  const db = new DatabaseSync(inFolder('data', 'entgldb.db'));
  db.exec(sql);
  db.close();
}

test('the error of a database with damaged metadata names the way out, and the way leads out', async () => {
  for (let i = 0; i < 3; i++) await cli('put', 'users', `u${i}`, `{"n":${i}}`);
  await cli('put', 'a/b ü', 'k', '{"text":"in a folder?"}');
  await cli('put', 'users', 'gone', '{}');
  await cli('delete', 'users', 'gone');
  damage('UPDATE meta SET sum = sum + 1');
  const refused = await cli('get', 'users', 'u1');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /`entgldb salvage FOLDER` writes what can be read\n$/);

  const { code, out, err } = await cli('salvage', 'rescued', '--json');
  assert.equal(code, 0, err);
  assert.equal(JSON.parse(out).documents, 4);
  assert.deepEqual((await readdir(inFolder('rescued'))).sort(), ['a%2Fb%20%C3%BC.ndjson', 'users.ndjson']);
  assert.match((await cli('salvage', 'rescued')).out, /\nWrote 4 documents to .*rescued; blobs, history and queue /);

  await rename(inFolder('data'), inFolder('damaged'));
  assert.equal((await cli('import', 'users', 'rescued/users.ndjson')).code, 0);
  assert.equal((await cli('import', 'a/b ü', 'rescued/a%2Fb%20%C3%BC.ndjson')).code, 0);
  assert.deepEqual(JSON.parse((await cli('get', 'users', 'u1')).out), { n: 1 });
  assert.deepEqual(JSON.parse((await cli('get', 'a/b ü', 'k')).out), { text: 'in a folder?' });
  assert.equal((await cli('count', 'users')).out, '3\n');
});

test('a document that is damaged itself is left out, counted, and makes exit code 1', async () => {
  for (let i = 0; i < 3; i++) await cli('put', 'users', `u${i}`, `{"n":${i}}`);
  damage(`UPDATE doc SET value = '{"n":7}' WHERE key = 'u1'; UPDATE meta SET sum = sum + 1`);
  const { code, out } = await cli('salvage', 'rescued');
  assert.equal(code, 1);
  assert.match(out, /^users: 2 documents; 1 document cannot be read\n/);
  assert.equal(
    await readFile(inFolder('rescued', 'users.ndjson'), 'utf8'),
    '{"key":"u0","value":{"n":0}}\n{"key":"u2","value":{"n":2}}\n',
  );
});

test('what only the redo log holds after a crash is among what is salvaged, and an older state is not', async () => {
  await cli('put', 'users', 'u0', '{"n":0}');
  await cli('put', 'users', 'u1', '{"n":1}');
  await cli('put', 'users', 'gone', '{}');
  const node = begin(['start', '--no-discovery']);
  await node.ready;
  // The first commits of an opening go to SQLite itself.
  for (let i = 0; i < 12; i++) await cli('put', 'first', `k${i}`, '{}');
  await cli('put', 'users', 'u0', '{"n":10}');
  await cli('put', 'users', 'u2', '{"n":2}');
  await cli('put', 'stock', 's', '{"n":3}');
  await cli('delete', 'users', 'gone');
  // As after a power cut that took all of SQLite's own log.
  for (const file of ['entgldb.db', 'entgldb.db-redo', 'entgldb.db.marker'])
    await cp(inFolder('data', file), inFolder('cut', file));
  node.stop();
  await node.done;
  await rename(inFolder('data'), inFolder('whole'));
  await rename(inFolder('cut'), inFolder('data'));
  damage('UPDATE meta SET sum = sum + 1');
  const { code, err } = await cli('salvage', 'rescued');
  assert.equal(code, 0, err);
  const lines = async (name: string) => (await readFile(inFolder('rescued', name), 'utf8')).trim().split('\n').sort();
  assert.deepEqual(await lines('stock.ndjson'), ['{"key":"s","value":{"n":3}}']);
  assert.deepEqual(await lines('users.ndjson'), [
    '{"key":"u0","value":{"n":10}}',
    '{"key":"u1","value":{"n":1}}',
    '{"key":"u2","value":{"n":2}}',
  ]);
});

test('a folder that cannot be made is refused', {
  skip: process.platform !== 'linux' && 'only Linux has /proc',
}, async () => {
  await cli('put', 'users', 'u0', '{"n":0}');
  const { code, err } = await cli('salvage', '/proc/entgldb/rescued');
  assert.equal(code, 3);
  assert.match(err, /\/proc\/entgldb\/rescued/);
});

test('there is nothing to salvage from a database that is in use, is not there, or is none', async () => {
  assert.equal((await cli('salvage', 'rescued')).code, 3);
  const node = begin(['start', '--no-discovery']);
  await node.ready;
  const { code, err } = await cli('salvage', 'rescued');
  assert.equal(code, 3);
  assert.match(err, /^entgldb: process \d+ has .*entgldb\.db open; stop it\n$/);
  node.stop();
  await node.done;
});
