/**
 * Goal: a backup made under a thousand writes per second holds every write that was acknowledged before the call. A backup
 * killed at any moment never leaves an incomplete file that looks complete. Method: a program's database with a writer that
 * keeps its pace; a real node that is killed again and again while it makes backups. Each file is opened and read whole.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type NodeDatabase, openDatabase } from '../../src/index.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { verifySqliteFile } from '../../src/store/index.ts';
import { createSeededRandom } from '../../src/testing/index.ts';
import { atEnd } from './cleanup.ts';
import { eventually, HUNG_MS, makeFolder, NodeProcess, pause, SCALE } from './node-process.ts';

const WRITES_PER_SECOND = 1000;
const KEYS = 5000;
const BACKUPS = 5 * SCALE;
const KILLS = 5 * SCALE;
const PAD = 'x'.repeat(1000);
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

test(`${BACKUPS} backups under ${WRITES_PER_SECOND} writes per second hold all that was acknowledged before the call`, {
  timeout: HUNG_MS,
}, async (t) => {
  const folder = await makeFolder(t);
  const db = await openDatabase({
    dataDirectory: join(folder, 'node'),
    network: false,
    persistence: { backupPath: join(folder, 'backups'), enableAutoBackup: false },
  });
  atEnd(t, () => db.close());
  const ending = new AbortController();
  const acknowledged = new Map<string, number>();
  const startedAt = performance.now();
  const writing = writeAtPace(db, acknowledged, ending.signal);
  try {
    await eventually('a write is acknowledged', () => acknowledged.size > 0);
    for (let i = 0; i < BACKUPS; i++) {
      await pause(300);
      const before = new Map(acknowledged);
      const path = await db.backup(`b${i}.db`);
      const held = await readCopy(path, join(folder, `opened-${i}`));
      const lost = [...before].filter(([key, n]) => (held.get(key) ?? -1) < n);
      assert.deepEqual(lost.slice(0, 5), [], `backup ${i}`);
      rmSync(join(folder, `opened-${i}`), { recursive: true });
    }
  } finally {
    ending.abort();
    await writing;
  }
  const writes = await writing;
  const rate = writes / ((performance.now() - startedAt) / 1000);
  t.diagnostic(`${writes} writes, ${Math.round(rate)} a second, ${BACKUPS} backups`);
});

/** Begins the writes that the pace requires in each hundredth of a second, however slow the disk is. */
async function writeAtPace(db: NodeDatabase, acknowledged: Map<string, number>, signal: AbortSignal): Promise<number> {
  const documents = db.collection('c');
  const under = new Set<Promise<unknown>>();
  const startedAt = performance.now();
  let n = 0;
  for (; !signal.aborted; await pause(10)) {
    const due = ((performance.now() - startedAt) / 1000) * WRITES_PER_SECOND;
    for (; n < due; n++) {
      const [key, value] = [`k${n % KEYS}`, n];
      const write = documents.put(key, { n, pad: PAD }).then(() => acknowledged.set(key, value));
      under.add(write);
      void write.finally(() => under.delete(write));
    }
  }
  await Promise.all(under);
  return n;
}

test(`a backup killed at ${KILLS} random moments leaves no incomplete file that looks complete`, {
  timeout: HUNG_MS,
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
          .putMany(Array.from({ length: 500 }, (_, i) => [`k${documents + i}`, { n: i, pad: PAD }] as const));
    }
    assert.equal(await node.collection('c').count(), documents);
    const made = makeBackup(node, `b${round}.db`);
    // The last one may finish, so that even the slowest machine has one to read.
    if (round < KILLS - 1) await pause(random.integer(0, 400));
    else await made;
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
      const held = await readCopy(join(backups, name), join(folder, `opened-${round}-${name}`));
      assert.equal(held.size, documents, `round ${round}: ${name}`);
      rmSync(join(folder, `opened-${round}-${name}`), { recursive: true });
    }
  }
  assert.ok(whole > 0);
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

/** Reads the number in each document from a copy of the backup; the backup itself stays unchanged. */
async function readCopy(path: string, folder: string): Promise<Map<string, number>> {
  mkdirSync(folder);
  const databasePath = join(folder, 'entgldb.db');
  copyFileSync(path, databasePath);
  await using db = await openDatabase({ dataDirectory: folder, network: false, persistence: { databasePath } });
  const found = new Map<string, number>();
  for await (const [key, value] of db.collection('c').entries()) found.set(key, value.n as number);
  return found;
}
