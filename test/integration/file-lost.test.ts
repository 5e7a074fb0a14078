/**
 * Goal: nothing acknowledged is lost when a database file is removed or replaced while a node has it open. Method:
 * `openDatabase` as a program calls it, with real files on loopback; the file is taken away while it is open.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isEntglDbError, type NodeDatabase } from '../../src/index.ts';
import { openOnLoopback } from './loopback-node.ts';
import { eventually, makeFolder } from './node-process.ts';

const ways: Readonly<Record<string, (path: string, old: string) => void>> = {
  removed: (path) => rmSync(path),
  'moved away': (path) => renameSync(path, `${path}.moved`),
  'replaced by an older copy': (path, old) => renameSync(old, path),
};

/** Writes until the node refuses to; returns how many writes were acknowledged. */
async function writeUntilRefused(db: NodeDatabase): Promise<number> {
  let written = 0;
  await eventually('writing is refused', async () => {
    try {
      await db.collection('sales').put(`late-${written}`, { n: written });
      written++;
      return false;
    } catch (error) {
      assert.ok(isEntglDbError(error, 'READ_ONLY'), String(error));
      assert.match(error.message, /was removed or replaced/);
      return true;
    }
  });
  return written;
}

for (const [name, way] of Object.entries(ways))
  test(`a file that is ${name} under an open node: writing stops, and every acknowledged write is in the copy it saves`, async (t) => {
    const folder = await makeFolder(t);
    const path = join(folder, 'till', 'entgldb.db');
    const first = await openOnLoopback(folder, 'till');
    await first.collection('sales').put('early', { n: -1 });
    await first.close();
    const old = join(folder, 'old.db');
    copyFileSync(path, old);

    const db = await openOnLoopback(folder, 'till');
    await db.collection('sales').put('before', { n: 0 });
    way(path, old);
    const written = await writeUntilRefused(db);
    assert.equal(await db.collection('sales').count(), written + 2, 'it can still be read');
    await eventually('the copy', () =>
      db.status().notices.some((notice) => notice.includes('is saved: stop this node')),
    );
    const { checks } = await db.health();
    assert.match(checks.find((check) => check.name === 'database')!.message, /nothing is written any more/);
    await assert.rejects(db.setNetworkPaused(false), { reason: 'READ_ONLY' }, 'nor do peers write');
    await db.close();

    const saved = readdirSync(join(folder, 'till')).filter((file) => file.includes('.saved-'));
    assert.equal(saved.length, 1);
    await using other = await openOnLoopback(folder, 'till', [], { persistence: { databasePath: saved[0]! } });
    assert.equal(await other.collection('sales').count(), written + 2);
  });

test('a file that vanishes and comes back: the node is unhealthy while it refuses writes, and the next start has everything', async (t) => {
  const folder = await makeFolder(t);
  const path = join(folder, 'till', 'entgldb.db');
  const db = await openOnLoopback(folder, 'till');
  await db.collection('sales').put('before', { n: 0 });
  renameSync(path, `${path}.away`);
  const written = await writeUntilRefused(db);
  renameSync(`${path}.away`, path);
  assert.equal((await db.health()).checks.find(({ name }) => name === 'database')!.state, 'unhealthy');
  await db.close();
  await using again = await openOnLoopback(folder, 'till');
  assert.equal(await again.collection('sales').count(), written + 1);
});

for (const isNoticed of [false, true])
  test(`a node whose folder was moved loses nothing when it ends, and touches nothing in the old place; noticed: ${isNoticed}`, async (t) => {
    const folder = await makeFolder(t);
    const place = join(folder, 'till');
    const moved = await openOnLoopback(folder, 'till');
    await moved.collection('sales').put('before', { n: 0 });
    renameSync(place, join(folder, 'moved'));
    const other = await openOnLoopback(folder, 'till');
    await other.collection('sales').put('other', { n: 1 });
    const written = isNoticed ? await writeUntilRefused(moved) : 0;
    if (isNoticed)
      await eventually('the copy', () => moved.status().notices.some((notice) => notice.includes('is saved')));
    const found = (): unknown => [readdirSync(place), readFileSync(join(place, 'entgldb.db.marker'), 'latin1')];
    const before = found();
    await moved.close();
    assert.deepEqual(found(), before);
    await other.close();
    await using again = await openOnLoopback(folder, 'moved');
    assert.equal(await again.collection('sales').count(), written + 1);
    assert.deepEqual(again.status().notices, [], 'it is the same database as before');
  });

test('removing the lock file of a running node lets no second owner in', async (t) => {
  const folder = await makeFolder(t);
  await using db = await openOnLoopback(folder, 'till');
  await db.collection('sales').put('before', { n: 0 });
  for (const suffix of ['.lock', '.pid']) rmSync(join(folder, 'till', `entgldb.db${suffix}`));
  await assert.rejects(openOnLoopback(folder, 'till'), (error) => isEntglDbError(error, 'DATABASE_LOCKED'));
  await db.collection('sales').put('after', { n: 1 });
});
