/**
 * Goal: a data directory is copied completely, and both copies run and write before they meet. Nothing acknowledged is
 * lost, and both nodes say what happened (R9). Method: real processes. A plain copy is noticed when it is opened. With the
 * image of a whole disk even the inode number is the same; two small disks are made on which it is. Those twins notice each
 * other by their beacons, when one dials the other, or through a third node.
 */
import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';
import { neverCopied } from '../../src/store/sqlite/test-folder.ts';
import { atEnd } from './cleanup.ts';
import { loopbackOptions, openOnLoopback } from './loopback-node.ts';
import {
  areEqual,
  eventually,
  freeUdpPort,
  HUNG_MS,
  makeFolder,
  NodeProcess,
  runCommand,
  type StartOptions,
  writeToken,
} from './node-process.ts';
import { mountDisk, whyNoDisk } from './small-disk.ts';

const LOOPBACK = { Network: { LocalhostOnly: true } };
const DATABASE = 'entgldb.db';
const COMMON = 500;
const OWN = 200;

test('the copy of a data directory takes an identity of its own at once and says so, and both keep everything', {
  timeout: HUNG_MS,
}, async (t) => {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const first = { folder: join(folder, 'first'), name: 'first', tokenFile, settings: LOOPBACK };
  const node = await NodeProcess.start(t, first);
  await put(node, 'common', COMMON);
  // While it runs, as somebody might do who does not know better.
  cpSync(first.folder, join(folder, 'copy'), { recursive: true });
  const written = await runCommand(['put', 'c', 'lonely', '{"by":"copy"}', '--data', join(folder, 'copy')]);
  assert.equal(written.code, 0, written.err);
  assert.equal(await node.collection('c').get('lonely'), undefined, 'commands on the copy do not reach the original');
  const copy = await NodeProcess.start(t, {
    ...first,
    folder: join(folder, 'copy'),
    name: 'copy',
    peers: [node.address],
  });
  await Promise.all([put(node, 'first', OWN), put(copy, 'copy', OWN)]);
  await eventually('both are equal', () => areEqual([node, copy]));
  await checkAll([node, copy], ['first', 'copy']);
  assert.notEqual((await node.status()).replica, (await copy.status()).replica);
  assert.match((await copy.status()).notices.join('\n'), /cop/);
  assert.deepEqual((await node.status()).notices, []);
});

const reason = whyNoDisk();
if (reason !== undefined) console.log(`SKIPPED: ${reason}`);
const options = { skip: reason ?? false, timeout: HUNG_MS };

test('twins of one disk image find each other by their beacons', options, async (t) => {
  const udpPort = await freeUdpPort();
  const { first, second } = await makeTwins(t, { udpPort });
  await bothTold(t, await startTwins(t, first, second));
});

test('twins of one disk image find each other when one dials the other', options, async (t) => {
  const { first, second } = await makeTwins(t, {});
  const a = await NodeProcess.start(t, first);
  await put(a, 'first', OWN);
  const b = await NodeProcess.start(t, second);
  await put(b, 'second', OWN);
  assert.equal((await a.status()).replica, (await b.status()).replica, 'nothing could tell them apart so far');
  assert.equal(await b.stop(), 0);
  const again = await NodeProcess.start(t, { ...second, peers: [a.address] });
  await bothTold(t, [a, again]);
});

test('twins of one disk image find each other through a third node', options, async (t) => {
  const folder = await makeFolder(t);
  const hub = await NodeProcess.start(t, {
    folder,
    name: 'hub',
    tokenFile: await writeToken(folder),
    settings: LOOPBACK,
  });
  const { first, second } = await makeTwins(t, { peers: [hub.address] });
  const [a, b] = await startTwins(t, first, second);
  await bothTold(t, [a, b], hub);
});

test(
  'a twin is told when it meets the other, even if the other has begun another life and evicted everything',
  options,
  async (t) => {
    const { first, second } = await makeTwins(t, {});
    const hub = await openOnLoopback(await makeFolder(t), 'hub');
    atEnd(t, () => hub.close());
    const open = async ({ folder, name }: StartOptions, peers: readonly NodeDatabase[]): Promise<NodeDatabase> => {
      const persistence = { databasePath: join(folder, DATABASE) };
      const db = await openDatabase({ ...loopbackOptions(folder, name, peers), dataDirectory: folder, persistence });
      atEnd(t, () => db.close());
      return db;
    };
    const a = await open(first, [hub]);
    const { replica } = a.status();
    await a.collection('c').put('first', { by: 'first' });
    await eventually('the hub holds everything', () => a.unsynced().length === 0);
    await a.evict('c');
    await hub.close();
    const alone = await open(second, []);
    await alone.collection('c').put('second', { by: 'second' });
    assert.equal(alone.status().replica, replica, 'nothing could tell it so far');
    await alone.close();
    const b = await open(second, [a]);
    await eventually('the twin takes a new id', () => b.status().replica !== replica);
    assert.match(b.status().notices.join('\n'), /shared its identity with a copy/);
    await eventually('the other is told of its former life', () =>
      a.status().notices.join('\n').includes(`the former replica id ${replica}`),
    );
  },
);

interface Twins {
  readonly first: StartOptions;
  readonly second: StartOptions;
}

/** A node that has run and stopped, on two identical disks, as after copying a disk image. */
async function makeTwins(t: TestContext, more: Partial<StartOptions>): Promise<Twins> {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const disks = [0, 1].map((i) => mountDisk(t, join(folder, `disk${i}`), 64));
  const optionsAt = (disk: string, name: string): StartOptions => ({
    folder: join(disk, 'data'),
    name,
    tokenFile,
    settings: LOOPBACK,
    ...more,
  });
  const origin = await NodeProcess.start(t, optionsAt(disks[0]!, 'first'));
  await put(origin, 'common', COMMON);
  if (more.peers !== undefined) await eventually('it is connected', async () => (await origin.status()).isOnline);
  assert.equal(await origin.stop(), 0);
  copyWithInodes(join(disks[0]!, 'data'), join(disks[1]!, 'data'));
  return { first: optionsAt(disks[0]!, 'first'), second: optionsAt(disks[1]!, 'second') };
}

/** Starts both twins and lets them write before either can know of the other, as far as possible off the network. */
async function startTwins(
  t: TestContext,
  first: StartOptions,
  second: StartOptions,
): Promise<[NodeProcess, NodeProcess]> {
  const a = await NodeProcess.start(t, first);
  await a.setNetworkPaused(true);
  await put(a, 'first', OWN);
  const b = await NodeProcess.start(t, second);
  await b.setNetworkPaused(true);
  await put(b, 'second', OWN);
  assert.equal((await a.status()).replica, (await b.status()).replica, 'nothing could tell them apart so far');
  await Promise.all([a.setNetworkPaused(false), b.setNetworkPaused(false)]);
  return [a, b];
}

async function bothTold(t: TestContext, [a, b]: readonly [NodeProcess, NodeProcess], hub?: NodeProcess): Promise<void> {
  const nodes = hub === undefined ? [a, b] : [a, b, hub];
  for (const [twin, which] of [
    [a, 'first'],
    [b, 'second'],
  ] as const) {
    const isTold = async (): Promise<boolean> => /copy/.test((await twin.status()).notices.join('\n'));
    await eventually(`the ${which} is told`, isTold, 60_000);
  }
  const ms = await eventually(
    'all are equal',
    async () => (await areEqual(nodes)) && (await a.collection('c').count()) >= COMMON,
    60_000,
  );
  t.diagnostic(`equal ${Math.round(ms)} ms later`);
  await checkAll(nodes, ['first', 'second']);
  const [one, other] = [await a.status(), await b.status()];
  t.diagnostic(`first: ${one.notices.join(' | ') || 'nothing'}`);
  t.diagnostic(`second: ${other.notices.join(' | ') || 'nothing'}`);
  assert.notEqual(one.replica, other.replica);
  assert.notEqual(await deviceKeyOf(one.databasePath), await deviceKeyOf(other.databasePath));
  await a.collection('c').put('after', { by: 'a' });
  await eventually(
    'they go on in sync',
    async () => (await areEqual(nodes)) && (await b.collection('c').get('after')) !== undefined,
  );
}

async function checkAll(nodes: readonly NodeProcess[], writers: readonly string[]): Promise<void> {
  for (const node of nodes) {
    const keys = new Set<string>();
    for await (const [key, value] of node.collection('c').entries()) {
      // Shared documents that both updated hold the value of one of them; nothing else may change.
      assert.ok(value.by === 'common' || writers.includes(value.by as string), key);
      keys.add(key);
    }
    for (const by of ['common', ...writers]) {
      for (let i = 0; i < (by === 'common' ? COMMON : OWN); i++)
        assert.ok(keys.has(`${by}-${i}`), `${node.ready.nodeId}: ${by}-${i}`);
    }
  }
}

async function put(node: NodeProcess, by: string, count: number): Promise<void> {
  const own = Array.from({ length: count }, (_, i) => [`${by}-${i}`, { by, i }] as const);
  await node.collection('c').putMany(own);
  if (by === 'common') return;
  // Also overwrite what the twin overwrites, each document in a transaction of its own.
  for (let i = 0; i < 20; i++) await node.collection('c').put(`common-${i}`, { by, i });
}

async function deviceKeyOf(databasePath: string): Promise<string> {
  return readFile(`${databasePath}.device`, 'utf8');
}

/** Copies a folder as a disk image would: the database has the same inode number there, and the marker is in the file that it says. */
function copyWithInodes(from: string, to: string): void {
  mkdirSync(to);
  const dummies = join(to, 'dummies');
  mkdirSync(dummies);
  const wanted = statSync(join(from, DATABASE)).ino;
  for (let i = 0; inodeOfNew(join(dummies, String(i))) < wanted - 1; i++);
  for (const name of [DATABASE, ...readdirSync(from).filter((each) => each !== DATABASE)])
    copyFileSync(join(from, name), join(to, name));
  assert.equal(statSync(join(to, DATABASE)).ino, wanted, 'the copy has the number of the original');
  rmSync(dummies, { recursive: true });
  neverCopied(join(to, DATABASE));
}

function inodeOfNew(path: string): number {
  const file = openSync(path, 'wx');
  writeSync(file, '');
  closeSync(file);
  return statSync(path).ino;
}
