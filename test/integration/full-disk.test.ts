/**
 * Goal: a full disk is reported in one sentence with exit code 3 and leaves nothing half done. When there is room again,
 * the node goes on by itself, with every acknowledged write. Method: a real disk of a few megabytes (tmpfs), real processes.
 */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { isEntglDbError } from '../../src/core/errors/index.ts';
import { silentLogger } from '../../src/core/logging/index.ts';
import { openDatabase } from '../../src/index.ts';
import { keepNodeFile, readNodeFile } from '../../src/node/node-file.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import {
  areEqual,
  eventually,
  HUNG_MS,
  makeFolder,
  NodeProcess,
  runCommand,
  runStart,
  writeToken,
} from './node-process.ts';
import { fillDisk, mountDisk, whyNoDisk } from './small-disk.ts';

const reason = whyNoDisk();
if (reason !== undefined) console.log(`SKIPPED: ${reason}`);
const options = { skip: reason ?? false, timeout: HUNG_MS };
const PAD = 'x'.repeat(400);
const BALLAST_BYTES = 6 * 1024 * 1024;

test(
  'commands on a full disk say so in one sentence, exit with 3 and leave everything as it was',
  options,
  async (t) => {
    const folder = await makeFolder(t);
    const disk = mountDisk(t, join(folder, 'disk'), 12);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(BALLAST_BYTES, 1));
    const data = ['--data', join(disk, 'data')];
    await writeFile(join(folder, 'small.ndjson'), ndjson('s', 1000));
    await writeFile(join(folder, 'large.ndjson'), ndjson('l', 20_000));
    assert.equal((await runCommand(['import', 'c', join(folder, 'small.ndjson'), ...data])).code, 0);

    const stopped = await runCommand(['import', 'c', join(folder, 'large.ndjson'), ...data]);
    assertFull(stopped);
    const count = Number((await runCommand(['count', 'c', ...data])).out);
    assert.equal(count % 1000, 0, 'whole transactions of the import, or none');
    assert.ok(count >= 1000 && count < 21_000);
    assert.equal((await runCommand(['check', ...data])).code, 0);
    assertFull(await runCommand(['put', 'c', 'k', '{"a":1}', ...data]));
    assert.equal((await runCommand(['get', 'c', 'k', ...data])).code, 1, 'it is not there');

    fillDisk(join(disk, 'fill'));
    assertFull(await runCommand(['export', 'c', join(disk, 'out.ndjson'), ...data]));
    assert.deepEqual(readdirSync(disk).sort(), ['ballast', 'data', 'fill'], 'no part of an export');
    assertFull(await runCommand(['put', 'c', 'k', '{"a":1}', '--data', join(disk, 'other')]));
    assertFull(await runStart({ folder: join(disk, 'third'), name: 'third' }));
    const settings = await runCommand(['init', '--config', join(disk, 'settings.json')]);
    assert.equal(settings.code, 2);
    assert.match(settings.err, /^entgldb: [^\n]+\n$/);
    assert.ok(!readdirSync(disk).includes('settings.json'), 'no empty settings');

    rmSync(join(disk, 'ballast'));
    for (const name of ['other', 'data']) {
      assert.equal((await runCommand(['put', 'c', 'k', '{"a":1}', '--data', join(disk, name)])).code, 0);
    }
  },
);

test('salvage names the disk that is full, and what it has written is whole', options, async (t) => {
  const folder = await makeFolder(t);
  const [disk, other] = [mountDisk(t, join(folder, 'disk'), 8), mountDisk(t, join(folder, 'other'), 1)];
  const data = ['--data', join(disk, 'data')];
  await writeFile(join(folder, 'small.ndjson'), ndjson('s', 10));
  await writeFile(join(folder, 'large.ndjson'), ndjson('l', 4000));
  for (const name of ['small', 'large'])
    assert.equal((await runCommand(['import', `a-${name}`, join(folder, `${name}.ndjson`), ...data])).code, 0);
  await runCommand(['import', 'c', join(folder, 'small.ndjson'), ...data]);

  fillDisk(join(disk, 'fill'));
  const unread = await runCommand(['salvage', join(folder, 'rescued'), ...data]);
  assertFull(unread);
  assert.match(
    unread.err,
    /the disk of .*entgldb\.db is full, and reading it takes about 100 KB beside it; free some space/,
  );
  assert.ok(!readdirSync(folder).includes('rescued'), 'no empty folder');
  truncateSync(join(disk, 'fill'), statSync(join(disk, 'fill')).size - 100_000);

  const target = join(other, 'rescued');
  const cut = await runCommand(['salvage', target, ...data]);
  assertFull(cut);
  const whole = readdirSync(target);
  assert.deepEqual(whole, ['a-small.ndjson', 'c.ndjson'].slice(0, whole.length));
  const written = /the disk of .*rescued is full; (.*); free some space there, or name a folder on another disk/.exec(
    cut.err,
  );
  assert.equal(
    written?.[1],
    whole.length === 1 ? '1 collection in it is complete' : '2 collections in it are complete',
  );
  rmSync(target, { recursive: true });
  fillDisk(join(other, 'fill'));
  assertFull(await runCommand(['salvage', target, ...data]));
  assert.deepEqual(readdirSync(other), ['fill'], 'no empty folder');
});

test('a new database for which the disk has no room says so, however far it came', options, async (t) => {
  const disk = mountDisk(t, join(await makeFolder(t), 'disk'), 1);
  const fill = join(disk, 'fill');
  const data = join(disk, 'data');
  let opened = 0;
  for (let room = 0; room < 100; room++) {
    fillDisk(fill);
    truncateSync(fill, statSync(fill).size - room * 8192);
    try {
      const db = await openDatabase({ network: false, dataDirectory: data });
      opened++;
      await db.close();
    } catch (error) {
      assert.ok(isEntglDbError(error, 'DISK_FULL'), `${room * 8} KiB: ${error}`);
    }
    rmSync(data, { recursive: true, force: true });
  }
  assert.ok(opened > 0 && opened < 100, `opened ${opened} times`);
});

test(
  'a node whose disk fills up keeps reading, and writes and syncs again by itself once there is room',
  options,
  async (t) => {
    const folder = await makeFolder(t);
    const disk = mountDisk(t, join(folder, 'disk'), 16);
    const tokenFile = await writeToken(folder);
    const peer = await NodeProcess.start(t, { folder: join(folder, 'peer'), name: 'peer', tokenFile });
    const start = { folder: join(disk, 'data'), name: 'full', tokenFile, peers: [peer.address] };
    const node = await NodeProcess.start(t, start);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(BALLAST_BYTES, 1));
    const acknowledged = await writeUntilFull(node);
    fillDisk(join(disk, 'fill'));
    t.diagnostic(`${acknowledged.length} writes before the disk was full`);

    assert.deepEqual(await node.collection('c').get(acknowledged[0]!), { pad: PAD });
    assert.equal(await node.collection('c').count(), acknowledged.length);
    const before = await isAccepted(node, 'before');
    // What the peer writes meanwhile cannot be stored here; neither node may fail because of that.
    for (let i = 0; i < 50; i++) await peer.collection('c').put(`p${i}`, { i });
    const during = await isAccepted(node, 'during');
    assert.ok((await node.status()).collections.length > 0);
    assert.ok(node.isRunning && peer.isRunning);

    rmSync(join(disk, 'ballast'));
    await node.collection('c').put('after', { a: 1 });
    const ms = await eventually('the nodes are equal', () => areEqual([node, peer]));
    t.diagnostic(`equal ${Math.round(ms)} ms after there was room`);
    assert.equal(await peer.collection('c').count(), acknowledged.length + 51 + Number(before) + Number(during));
    assert.equal((await node.collection('c').get('before')) !== undefined, before);
    assert.equal((await node.collection('c').get('during')) !== undefined, during);
    assert.equal(await node.stop(), 0);
  },
);

test(
  'kill -9 on a full disk loses nothing acknowledged, and the next node starts there, is found, reads, and writes once there is room',
  options,
  async (t) => {
    const folder = await makeFolder(t);
    const disk = mountDisk(t, join(folder, 'disk'), 12);
    const start = { folder: join(disk, 'data'), name: 'full' };
    const node = await NodeProcess.start(t, start);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(BALLAST_BYTES, 1));
    const acknowledged = await writeUntilFull(node);
    fillDisk(join(disk, 'fill'));
    await node.kill();
    const again = await NodeProcess.start(t, start);
    const data = ['--data', start.folder];
    assert.equal((await runCommand(['get', 'c', acknowledged[0]!, ...data])).code, 0);
    assertFull(await runCommand(['put', 'c', 'large', JSON.stringify({ pad: PAD.repeat(250) }), ...data]));
    const health = await runCommand(['health', ...data]);
    assert.deepEqual([health.code, /FAILED {2}disk-space/.test(health.out)], [1, true], health.out);
    assert.equal(await again.collection('c').count(), acknowledged.length);

    rmSync(join(disk, 'ballast'));
    await again.collection('c').put('after', { a: 1 });
    await again.kill();
    const left = await NodeProcess.start(t, start);
    assert.equal((await runCommand(['get', 'c', 'after', ...data])).code, 0);
    assert.equal(await left.collection('c').count(), acknowledged.length + 1);
    assert.deepEqual(
      (await left.status()).notices.filter((notice) => !notice.includes('token')),
      [],
    );
  },
);

for (const isIndexRemoved of [false, true])
  test(
    `a clean stop without a free byte exits with 0, says so, and loses nothing; index of the log removed: ${isIndexRemoved}`,
    options,
    async (t) => {
      const folder = await makeFolder(t);
      const disk = mountDisk(t, join(folder, 'disk'), 6);
      const start = { folder: join(disk, 'data'), name: 'full' };
      const node = await NodeProcess.start(t, start);
      for (let i = 0; i < 20; i++) await node.collection('c').put(`k${i}`, { pad: PAD });
      fillDisk(join(disk, 'fill'));
      // The node tries to begin new logs, for which there is no room.
      if (isIndexRemoved) {
        rmSync(join(start.folder, 'entgldb.db-shm'));
        await eventually('it is noticed', () =>
          node.log.some(({ msg }) => String(msg).includes('cannot be begun anew yet')),
        );
      }
      assert.equal(await node.stop(), 0);
      assert.ok(node.log.some(({ msg }) => String(msg).includes('the next start loses nothing')));
      rmSync(join(disk, 'fill'));
      const again = await NodeProcess.start(t, start);
      assert.equal(await again.collection('c').count(), 20);
      assert.equal(await again.stop(), 0);
    },
  );

test('the file by which commands find a node is written once there is room', options, async (t) => {
  const disk = mountDisk(t, join(await makeFolder(t), 'disk'), 1);
  const database = join(disk, 'entgldb.db');
  await writeFile(database, '');
  fillDisk(join(disk, 'fill'));
  const file = { pid: 1, nodeId: 'till', url: 'http://127.0.0.1:1', secret: 'of this start' };
  const remove = await keepNodeFile(database, file, { clock: systemClock, logger: silentLogger });
  assert.equal(await readNodeFile(database), undefined);
  rmSync(join(disk, 'fill'));
  await eventually('it is written', async () => isDeepStrictEqual(await readNodeFile(database), file));
  await remove();
});

function assertFull({ code, out, err }: { code: number | null; out: string; err: string }): void {
  assert.equal(code, 3, err);
  assert.equal(out, '');
  // The node's log goes to the same stream; with --json the sentence is inside an object.
  const said = err
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('{"level":'));
  assert.equal(said.length, 1, err);
  assert.match(said[0]!, /^(entgldb: |\{"error":\{"code":"PERSISTENCE_ERROR","reason":"DISK_FULL",)/);
  assert.match(err, /full|no space/);
  assert.match(said[0]!, /free some space|check the disk/);
  assert.doesNotMatch(said[0]!, /resumes by itself/, 'a node that has ended resumes nothing');
}

/** Writes until the disk refuses a write. Resolves with the keys that were acknowledged. */
async function writeUntilFull(node: NodeProcess): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const batch = Array.from({ length: 200 }, (_, i) => `k${keys.length + i}`);
    try {
      await node.collection('c').putMany(batch.map((key) => [key, { pad: PAD }]));
      keys.push(...batch);
    } catch (error) {
      assert.ok(isFull(error), String(error));
      return keys;
    }
  }
}

/** Tries a small write, which may still fit into the log. It is either stored, or refused because the disk is full. */
async function isAccepted(node: NodeProcess, key: string): Promise<boolean> {
  try {
    await node.collection('c').put(key, { a: 1 });
    return true;
  } catch (error) {
    assert.ok(isFull(error), String(error));
    return false;
  }
}

function isFull(error: unknown): boolean {
  return isEntglDbError(error, 'DISK_FULL');
}

function ndjson(prefix: string, count: number): string {
  return Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ key: `${prefix}${i}`, value: { i, pad: PAD } })}\n`,
  ).join('');
}
