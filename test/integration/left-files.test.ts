/**
 * Goal: what people did to the files of a node by hand is reported: by the command that meets it first, by the node too,
 * and by doctor before either. Method: real processes; files of a node that was killed are taken away.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { HUNG_MS, makeFolder, NodeProcess, runCommand, runStart } from './node-process.ts';

const options = { timeout: HUNG_MS };

test(
  'a removed log is reported by the command that first opens the file, and by the node after it',
  options,
  async (t) => {
    const folder = await killedNode(t);
    const before = await runCommand(['doctor', '--data', folder]);
    assert.doesNotMatch(before.out, /nothing acknowledged is lost/, 'nobody can know that before the file is opened');
    rmSync(join(folder, 'entgldb.db-wal'));
    const counted = await runCommand(['count', 'c', '--data', folder]);
    assert.match(counted.err, /newest writes in .* are gone/);
    const node = await NodeProcess.start(t, { folder, name: 'n' });
    assert.match((await node.status()).notices.join('\n'), /newest writes in .* are gone/);
    assert.equal(await node.stop(), 0);
    const again = await NodeProcess.start(t, { folder, name: 'n' });
    assert.doesNotMatch((await again.status()).notices.join('\n'), /newest writes/, 'told once is enough');
  },
);

test(
  'a removed database file is reported as missing by doctor and by commands, and no command creates an empty one',
  options,
  async (t) => {
    const folder = await killedNode(t);
    rmSync(join(folder, 'entgldb.db'));
    const doctor = await runCommand(['doctor', '--data', folder]);
    assert.equal(doctor.code, 1, doctor.out);
    assert.match(doctor.out, /^FAILED {2}database file: .*entgldb\.db is gone/m);
    const counted = await runCommand(['count', 'c', '--data', folder]);
    assert.equal(counted.code, 3, counted.err);
    assert.match(counted.err, /entgldb\.db is gone.*restore a backup/);
    const node = await NodeProcess.start(t, { folder, name: 'n' });
    assert.match((await node.status()).notices.join('\n'), /entgldb\.db was gone/);
  },
);

test(
  'a link to a database file is the same database: it has one owner, whichever name it is opened by',
  options,
  async (t) => {
    const folder = await makeFolder(t);
    const node = await NodeProcess.start(t, { folder: join(folder, 'data'), name: 'n' });
    mkdirSync(join(folder, 'link'));
    symlinkSync(join(folder, 'data', 'entgldb.db'), join(folder, 'link', 'entgldb.db'));
    const put = await runCommand(['put', 'c', 'k', '{"by":"link"}', '--data', join(folder, 'link')]);
    assert.deepEqual([put.code, put.err], [0, '']);
    assert.deepEqual(await node.collection('c').get('k'), { by: 'link' }, 'it went to the running node');
    const second = await runStart({ folder: join(folder, 'link'), name: 'second' });
    assert.equal(second.code, 3);
    assert.match(second.err, new RegExp(`process ${node.pid} `));
    assert.equal(await node.stop(), 0);
    const counted = await runCommand(['count', 'c', '--data', join(folder, 'link')]);
    assert.deepEqual([counted.out, counted.err], ['1\n', ''], 'and is no copy');
  },
);

/** The folder of a node that wrote, was stopped, wrote again and was killed. */
async function killedNode(t: TestContext): Promise<string> {
  const folder = await makeFolder(t);
  const first = await NodeProcess.start(t, { folder, name: 'n' });
  await first.collection('c').put('early', { n: 1 });
  assert.equal(await first.stop(), 0);
  const node = await NodeProcess.start(t, { folder, name: 'n' });
  await node.collection('c').put('late', { n: 2 });
  await node.kill();
  return folder;
}
