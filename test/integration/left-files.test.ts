/**
 * Goal: what people do to the files of a node by hand is told to them, by the command that meets it first and by the node as well,
 * and by doctor before either. Method: real processes; files of a node that was killed are taken away.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeFolder, NodeProcess, runCommand } from './node-process.ts';

const options = { timeout: 60_000 };

test(
  'a log that was removed is told by the command that opens the file first, and by the node after it',
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
  'a database file that was removed is missed by doctor and by commands, which make no empty one',
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
