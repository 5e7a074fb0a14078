/**
 * Goal: a node that runs while an old copy is written over its database file (a restore by hand) says so and stops writing, whatever the
 * size of the copy, and the next start finds the copy as it was. Method: `openDatabase` with real files; another process copies.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isEntglDbError, type NodeDatabase } from '../../src/index.ts';
import { atEnd } from './cleanup.ts';
import { openOnLoopback } from './loopback-node.ts';
import { eventually, makeFolder } from './node-process.ts';

/** As `cp` does: the file keeps its inode. Within the process of the node, a copy would take SQLite's locks away. */
function copyOver(from: string, to: string): void {
  execFileSync(process.execPath, ['-e', 'require("node:fs").copyFileSync(...process.argv.slice(1))', from, to]);
}

async function writeUntilRefused(db: NodeDatabase): Promise<void> {
  await eventually('writing is refused', async () => {
    const refused = await db
      .collection('sales')
      .put('late', { n: 1 })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    return isEntglDbError(refused, 'READ_ONLY') && refused.message.includes('was written over');
  });
}

/** Resolves when the node has looked after its files, from beginning to end: it makes a removed lock file anew. */
async function nodeLooks(lockPath: string): Promise<void> {
  for (let look = 0; look < 2; look++) {
    rmSync(lockPath);
    await eventually('the node looks after its files', () => existsSync(lockPath));
  }
}

const pad = 'x'.repeat(1000);

async function fill(db: NodeDatabase, thousands: number): Promise<void> {
  for (let i = 0; i < thousands; i++)
    await db.collection('sales').putMany(Array.from({ length: 1000 }, (_, j) => [`k${i}-${j}`, { pad }]));
}

/** A database whose file has just been replaced by yesterday's, which was copied between two runs. */
async function overwritten(t: TestContext, thousands: { yesterday: number; today: number }) {
  const folder = await makeFolder(t);
  const path = join(folder, 'till', 'entgldb.db');
  const first = await openOnLoopback(folder, 'till');
  await first.collection('sales').put('yesterday', { n: 0 });
  await fill(first, thousands.yesterday);
  await first.close();
  const old = join(folder, 'old.db');
  copyFileSync(path, old);
  const db = await openOnLoopback(folder, 'till');
  atEnd(t, () => db.close());
  await db.collection('sales').put('today', { n: 1 });
  await fill(db, thousands.today);
  copyOver(old, path);
  return { folder, path, old, db };
}

test('a copy as large as the file: the node says what happened, and leaves the copy as it is', async (t) => {
  const { folder, path, old, db } = await overwritten(t, { yesterday: 1, today: 0 });
  assert.equal(statSync(old).size, statSync(path).size);
  await writeUntilRefused(db);
  const { checks } = await db.health();
  assert.match(checks.find(({ name }) => name === 'database')!.message, /written over while it is open/);
  await db.close();
  assert.ok(readFileSync(path).equals(readFileSync(old)), 'the copy was changed');
  await using again = await openOnLoopback(folder, 'till');
  assert.deepEqual(await again.collection('sales').get('yesterday'), { n: 0 });
  assert.equal(await again.collection('sales').get('today'), undefined);
  await again.checkIntegrity();
});

test('a copy that was made in the same run: the next start does not mix it with the logs of what came after it', async (t) => {
  const folder = await makeFolder(t);
  const path = join(folder, 'till', 'entgldb.db');
  const old = join(folder, 'old.db');
  const db = await openOnLoopback(folder, 'till');
  atEnd(t, () => db.close());
  await fill(db, 1);
  await db.compact();
  copyOver(path, old);
  await fill(db, 1);
  await db.compact();
  await db.collection('sales').put('today', { n: 1 });
  copyOver(old, path);
  await writeUntilRefused(db);
  await db.close();
  assert.ok(readFileSync(path).equals(readFileSync(old)), 'the copy was changed');
  await using again = await openOnLoopback(folder, 'till');
  assert.equal(await again.collection('sales').get('today'), undefined);
  assert.equal(await again.collection('sales').count(), 1000);
  await again.checkIntegrity();
  assert.ok(again.status().notices.some((notice) => notice.includes('.aside-')));
});

test('a folder that was copied a while ago, under the running node, and is copied back with its logs', async (t) => {
  const folder = await makeFolder(t);
  const [place, old] = [join(folder, 'till'), join(folder, 'old')];
  const db = await openOnLoopback(folder, 'till');
  atEnd(t, () => db.close());
  for (let i = 0; i < 50; i++) await db.collection('sales').put(`before-${i}`, { n: i });
  mkdirSync(old);
  const files = readdirSync(place).filter((file) => !/\.(?:lock|pid)$/.test(file));
  for (const file of files) copyOver(join(place, file), join(old, file));
  for (let i = 0; i < 50; i++) await db.collection('sales').put(`after-${i}`, { n: i });
  await nodeLooks(join(place, 'entgldb.db.lock'));
  for (const file of files) copyOver(join(old, file), join(place, file));
  // Writes until then could make the old log as long as the new one was.
  await eventually('the node says so', () => db.status().notices.some((notice) => notice.includes('written over')));
  await writeUntilRefused(db);
  await db.close();
  {
    await using again = await openOnLoopback(folder, 'till');
    await again.checkIntegrity();
    assert.equal(await again.collection('sales').get('late'), undefined);
  }
  await using copied = await openOnLoopback(folder, 'old');
  assert.equal(await copied.collection('sales').count(), 50);
});

test('a smaller copy: if the content cannot be saved, the node says so, and nothing damaged is offered as a copy', async (t) => {
  const { folder, path, old, db } = await overwritten(t, { yesterday: 0, today: 10 });
  await writeUntilRefused(db);
  const isTold = (text: string): boolean => db.status().notices.some((notice) => notice.includes(text));
  await eventually('the end of saving', () => isTold('is saved') || isTold('could not be saved'));
  const isSaved = isTold('is saved');
  await db.close();
  const saved = readdirSync(join(folder, 'till')).filter((file) => file.includes('.saved-'));
  assert.equal(saved.length, isSaved ? 1 : 0);
  for (const databasePath of saved) {
    await using copy = await openOnLoopback(folder, 'till', [], { persistence: { databasePath } });
    assert.ok((await copy.collection('sales').count()) >= 10_002);
  }
  assert.ok(readFileSync(path).equals(readFileSync(old)), 'the copy was changed');
  await using again = await openOnLoopback(folder, 'till');
  assert.equal(await again.collection('sales').count(), 1);
});
