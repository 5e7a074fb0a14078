/**
 * Goal: a node whose database was replaced by an old backup works, whether the file was copied by hand or restored by
 * `entgldb restore`. It takes a new replica id, gets what it wrote since the backup back from its peer, and loses nothing
 * that was acknowledged and sent (N4, R9). Method: real processes. When the backup is copied over the database, the node is
 * stopped, killed so that a log and its index are left, or even still running.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import {
  areEqual,
  eventually,
  HUNG_MS,
  makeFolder,
  NodeProcess,
  runCommand,
  type StartOptions,
  writeToken,
} from './node-process.ts';

const BEFORE = 300;
const AFTER = 300;
const UPDATED = 50;
const DELETED = 50;
const DATABASE = 'entgldb.db';

const options = { timeout: HUNG_MS };

type Ending = 'stopped' | 'killed';

describe('a backup in place of the database', () => {
  for (const ending of ['stopped', 'killed'] as const) {
    test(`copied by hand after the node was ${ending}: all that it had sent comes back`, {
      timeout: HUNG_MS,
    }, async (t) => {
      const shop = await openShop(t);
      await end(shop, ending);
      copyFileSync(shop.backup, join(shop.options.folder, DATABASE));
      await comesBack(t, shop);
    });
  }

  test('restored by `entgldb restore`: the same, and the replaced database is kept', options, async (t) => {
    const shop = await openShop(t);
    const refused = await runCommand(['restore', shop.backup, '--data', shop.options.folder]);
    assert.equal(refused.code, 3, refused.err);
    assert.match(refused.err, /stop/i, 'a running node is not pulled from under its users');
    await end(shop, 'killed');
    const restored = await runCommand(['restore', shop.backup, '--data', shop.options.folder]);
    assert.equal(restored.code, 0, restored.err);
    const aside = /kept as (.+)\.\n/.exec(restored.out)![1]!;
    assert.ok(existsSync(aside), aside);
    await comesBack(t, shop);
  });

  test('copied by hand while the node runs, and then the power fails: the same', {
    timeout: HUNG_MS,
  }, async (t) => {
    const shop = await openShop(t);
    copyFileSync(shop.backup, join(shop.options.folder, DATABASE));
    await end(shop, 'killed');
    await comesBack(t, shop);
  });

  test('a file that is not a database is set aside, and the backup takes its place', options, async (t) => {
    const shop = await openShop(t);
    await end(shop, 'killed');
    writeFileSync(join(shop.options.folder, DATABASE), 'a letter to the tax office, saved under the wrong name');
    await comesBack(t, shop);
    assert.ok(
      readdirSync(shop.options.folder).some((name) => name.includes('.replaced-')),
      'kept',
    );
  });
});

interface Shop {
  till: NodeProcess;
  readonly office: NodeProcess;
  readonly options: StartOptions;
  readonly backup: string;
  readonly replica: string;
}

/** A till that made a backup and then went on writing; its office has everything. */
async function openShop(t: TestContext): Promise<Shop> {
  const folder = await makeFolder(t);
  const tokenFile = await writeToken(folder);
  const office = await NodeProcess.start(t, { folder: join(folder, 'office'), name: 'office', tokenFile });
  const backups = join(folder, 'backups');
  const settings = { Persistence: { BackupPath: backups, EnableAutoBackup: false } };
  const options = { folder: join(folder, 'till'), name: 'till', tokenFile, peers: [office.address], settings };
  const till = await NodeProcess.start(t, options);
  await till.collection('sales').putMany(documents('before', 0, BEFORE));
  const made = await runCommand(['backup', 'sunday.db', '--data', options.folder]);
  assert.equal(made.code, 0, made.err);
  await till.collection('sales').putMany(documents('after', BEFORE, BEFORE + AFTER));
  await till.collection('sales').putMany(documents('updated', 0, UPDATED));
  for (let i = UPDATED; i < UPDATED + DELETED; i++) await till.collection('sales').delete(`k${i}`);
  await eventually('the office has all', () => areEqual([till, office]));
  return { till, office, options, backup: join(backups, 'sunday.db'), replica: (await till.status()).replica };
}

async function end({ till, options }: Shop, ending: Ending): Promise<void> {
  if (ending === 'stopped') {
    assert.equal(await till.stop(), 0);
    return;
  }
  await till.kill();
  assert.ok(existsSync(join(options.folder, `${DATABASE}-wal`)), 'the log is left over');
}

/** The till first works alone, and has everything again once it meets the office. */
async function comesBack(t: TestContext, { office, options, replica }: Shop): Promise<void> {
  const alone = await NodeProcess.start(t, { ...options, peers: [] });
  const status = await alone.status();
  assert.notEqual(status.replica, replica, 'a new replica id');
  t.diagnostic(status.notices.join(' | '));
  assert.match(status.notices.join('\n'), /backup|copy|copied/);
  assert.equal(await alone.collection('sales').count(), BEFORE, 'exactly what the backup held');
  await alone.collection('sales').putMany(documents('new', 10_000, 10_020));
  await alone.collection('sales').put('k0', { by: 'new' });
  assert.equal(await alone.stop(), 0);

  const till = await NodeProcess.start(t, options);
  const ms = await eventually('both are equal', () => areEqual([till, office]));
  t.diagnostic(`whole again ${Math.round(ms)} ms after it was ready`);
  for (const node of [till, office]) await checkAll(node);
  const checked = await runCommand(['check', '--data', options.folder]);
  assert.equal(checked.code, 0, checked.err);
  await till.collection('sales').put('last', { by: 'till' });
  await eventually('they go on', async () => (await office.collection('sales').get('last')) !== undefined);
}

async function checkAll(node: NodeProcess): Promise<void> {
  const found = new Map<string, unknown>();
  for await (const [key, value] of node.collection('sales').entries()) found.set(key, value.by);
  const byOf = (i: number): string => (i < UPDATED ? 'updated' : i < BEFORE ? 'before' : 'after');
  for (let i = 1; i < BEFORE + AFTER; i++) {
    const isDeleted = i >= UPDATED && i < UPDATED + DELETED;
    assert.equal(found.get(`k${i}`), isDeleted ? undefined : byOf(i), `${node.ready.nodeId}: k${i}`);
  }
  // Written on both sides independently: the later write wins.
  assert.equal(found.get('k0'), 'new');
  for (let i = 10_000; i < 10_020; i++) assert.equal(found.get(`k${i}`), 'new');
  assert.equal(found.size, BEFORE + AFTER - DELETED + 20);
}

function documents(by: string, from: number, to: number): (readonly [string, { by: string }])[] {
  return Array.from({ length: to - from }, (_, i) => [`k${from + i}`, { by }] as const);
}
