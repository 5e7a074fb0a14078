/**
 * Goal: a backup made while the database is written to a thousand times a second holds every write that was acknowledged before the
 * call, and one that is killed at any moment never leaves a file that looks complete. Method: a program's database with a writer
 * that keeps its pace; a real node that is killed while it makes backups, again and again; each file is opened and read whole.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { verifySqliteFile } from '../../src/store/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { atEnd } from './cleanup.ts';
import { eventually, makeFolder, NodeProcess, pause, SCALE } from './node-process.ts';

const WRITES_PER_SECOND = 1000;
const BACKUPS = 3 * SCALE;
const KILLS = 5 * SCALE;
const PAD = 'x'.repeat(1000);
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

test(`${BACKUPS} backups under ${WRITES_PER_SECOND} writes a second hold all that was acknowledged before the call`, {
  timeout: 60_000 * SCALE,
}, async (t) => {
  const folder = await makeFolder(t);
  const db = await openDatabase({
    dataDirectory: join(folder, 'node'),
    network: false,
    persistence: { backupPath: join(folder, 'backups'), enableAutoBackup: false },
  });
  atEnd(t, () => db.close());
  const ending = new AbortController();
  const acknowledged = new Set<string>();
  const startedAt = performance.now();
  const writing = writeAtPace(db, acknowledged, ending.signal);
  try {
    for (let i = 0; i < BACKUPS; i++) {
      await pause(300);
      const before = [...acknowledged];
      const path = await db.backup(`b${i}.db`);
      const held = await keysOf(path, join(folder, `opened-${i}`));
      assert.deepEqual(before.filter((key) => !held.has(key)).slice(0, 5), [], `backup ${i}`);
      assert.ok(before.length > 0);
    }
  } finally {
    ending.abort();
    await writing;
  }
  const rate = acknowledged.size / ((performance.now() - startedAt) / 1000);
  t.diagnostic(`${acknowledged.size} writes, ${Math.round(rate)} a second, ${BACKUPS} backups`);
});

/** As many writes in each hundredth of a second as its pace wants, whatever the disk does meanwhile. */
async function writeAtPace(db: NodeDatabase, acknowledged: Set<string>, signal: AbortSignal): Promise<void> {
  const documents = db.collection('c');
  const under: Promise<unknown>[] = [];
  const startedAt = performance.now();
  for (let n = 0; !signal.aborted; await pause(10)) {
    const due = ((performance.now() - startedAt) / 1000) * WRITES_PER_SECOND;
    for (; n < due; n++) {
      const key = `k${n}`;
      under.push(documents.put(key, { n, pad: PAD }).then(() => acknowledged.add(key)));
    }
  }
  await Promise.all(under);
}

test(`a backup killed at ${KILLS} random moments leaves no file that looks complete and is not`, {
  timeout: 60_000 * SCALE,
}, async (t) => {
  t.diagnostic(`seed ${SEED} (ENTGLDB_TEST_SEED)`);
  const random = createSeededRandom(SEED);
  const folder = await makeFolder(t);
  const backups = join(folder, 'backups');
  const start = { folder, name: 'node', settings: { Persistence: { BackupPath: 'backups', EnableAutoBackup: false } } };
  let documents = 0;
  const seen = new Set<string>();
  let [whole, unfinished] = [0, 0];
  for (let round = 0; round < KILLS; round++) {
    const node = await NodeProcess.start(t, start);
    if (documents === 0) {
      for (; documents < 5000; documents += 500)
        await node
          .collection('c')
          .putMany(Array.from({ length: 500 }, (_, i) => [`k${documents + i}`, { pad: PAD }] as const));
    }
    assert.equal(await node.collection('c').count(), documents);
    const made = makeBackup(node, `b${round}.db`);
    await pause(random.integer(0, 400));
    await node.kill();
    await made;
    const names = readdirSync(backups);
    unfinished += names.filter((name) => name.includes('partial')).length;
    for (const name of names.filter((each) => each.endsWith('.db') && (each === 'latest.db' || !seen.has(each)))) {
      seen.add(name);
      whole++;
      assert.deepEqual(
        await verifySqliteFile(join(backups, name), { clock: systemClock }),
        [],
        `round ${round}: ${name}`,
      );
      const held = await keysOf(join(backups, name), join(folder, `opened-${round}-${name}`));
      assert.equal(held.size, documents, `round ${round}: ${name}`);
    }
  }
  t.diagnostic(`${whole} files that look complete were read, and are; ${unfinished} others were left by the kills`);
  const node = await NodeProcess.start(t, { ...start, settings: { Persistence: { BackupPath: 'backups' } } });
  const left = (): string[] => readdirSync(backups).filter((name) => !name.endsWith('.db'));
  await eventually('what was left is removed', () => left().length === 0);
  await node.kill();
});

async function makeBackup(node: NodeProcess, name: string): Promise<void> {
  try {
    await node.client.json({
      method: 'POST',
      path: '/api/v1/backups',
      body: JSON.stringify({ name }),
      answerMsMax: Infinity,
    });
  } catch (error) {
    assert.equal((error as { reason?: string }).reason, 'NODE_UNREACHABLE', String(error));
  }
}

/** Opens a copy, so that the backup stays as it is. */
async function keysOf(path: string, folder: string): Promise<Set<string>> {
  mkdirSync(folder);
  const databasePath = join(folder, 'entgldb.db');
  copyFileSync(path, databasePath);
  await using db = await openDatabase({ dataDirectory: folder, network: false, persistence: { databasePath } });
  const keys = new Set<string>();
  for await (const [key] of db.collection('c').entries()) keys.add(key);
  return keys;
}
