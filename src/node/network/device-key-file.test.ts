/**
 * Goal: a device has one key, kept beside its database, and disk errors become errors of this library. Method: the test's own
 * folder, and one that does not exist.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isEntglDbError } from '../../core/errors/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { loadDeviceKey, renewDeviceKey } from './device-key-file.ts';

test('the key of the first start is found again until it is renewed, and no other file is left behind', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-device-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'a.db');
  const random = createSeededRandom(7);
  const first = (await loadDeviceKey(path, random, assert.fail)).serialize();
  assert.equal((await loadDeviceKey(path, random, assert.fail)).serialize(), first);
  await writeFile(`${path}.device.tmp`, 'what a killed process left');
  const renewed = (await renewDeviceKey(path, random)).serialize();
  assert.notEqual(renewed, first);
  assert.equal((await loadDeviceKey(path, random, assert.fail)).serialize(), renewed);
  assert.deepEqual(await readdir(folder), ['a.db.device']);
});

test('a missing folder is an error with a reason', async () => {
  const path = join(tmpdir(), 'entgldb-no-such-folder', 'a.db');
  await assert.rejects(
    loadDeviceKey(path, createSeededRandom(7), assert.fail),
    (error) => isEntglDbError(error, 'IO_FAILED') && /entgldb-no-such-folder/.test(error.message),
  );
});

test('a damaged key is set aside, and a new one takes its place', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-device-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'a.db');
  const random = createSeededRandom(7);
  const first = (await loadDeviceKey(path, random, assert.fail)).serialize();
  for (const damaged of ['', first.slice(0, -9), first.replace(/[A-Za-z](?=[^A-Za-z]*$)/, '#')]) {
    await writeFile(`${path}.device`, damaged);
    const notices: string[] = [];
    const made = (await loadDeviceKey(path, random, (text) => notices.push(text))).serialize();
    assert.notEqual(made, first);
    assert.equal((await loadDeviceKey(path, random, assert.fail)).serialize(), made);
    assert.equal(await readFile(`${path}.device.damaged`, 'utf8'), damaged);
    assert.match(notices.join(), /^the file with the key of this device was damaged/);
  }
});
