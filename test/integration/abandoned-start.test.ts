/**
 * Goal: an opening that is abandoned half-way leaves nothing open: no lock, port or thread. Method: the signal aborts as
 * soon as a step of the opening shows; the database is then opened again at once, on the same ports.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type OpenDatabaseOptions, openDatabase } from '../../src/index.ts';
import { eventually, lastingPort, makeFolder } from './node-process.ts';

/** What shows that an opening has come so far. */
const STEPS: Readonly<Record<string, (folder: string) => boolean>> = {
  'has just begun': () => true,
  'holds the lock': (folder) => existsSync(join(folder, 'entgldb.db.lock')),
  'has its database open': (folder) => existsSync(join(folder, 'entgldb.db-wal')),
  'is on its way to the network': (folder) => existsSync(join(folder, 'entgldb.db.device')),
};

/** Opens, and aborts at the first turn of the event loop in which `isThere` is true. */
async function abandon(options: OpenDatabaseOptions, reason: Error, isThere: () => boolean): Promise<void> {
  const stop = new AbortController();
  let isOver = false;
  const look = (): void => {
    if (isThere()) stop.abort(reason);
    else if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const opening = openDatabase({ ...options, signal: stop.signal });
  await assert
    .rejects(opening, (error) => error === reason)
    .finally(() => {
      isOver = true;
    });
}

function isBusy(): boolean {
  return process.getActiveResourcesInfo().some((kind) => /^(TCP|UDP|MessagePort)/.test(kind));
}

test('an opening that is abandoned at any step leaves nothing open', async (t) => {
  const network = { localhostOnly: true, tcpPort: await lastingPort(), udpPort: 0 };
  for (const [step, isThere] of Object.entries(STEPS)) {
    const dataDirectory = await makeFolder(t);
    const options = { dataDirectory, network };
    const reason = new Error(`stopped when it ${step}`);
    await abandon(options, reason, () => isThere(dataDirectory));
    assert.ok(!existsSync(join(dataDirectory, 'entgldb.db.pid')), 'the lock was released');
    await eventually(`${reason.message}: ports and threads are free`, () => !isBusy());
    await using db = await openDatabase(options);
    await db.collection('c').put('k', { step });
    assert.deepEqual(await db.collection('c').get('k'), { step });
  }
});

test('a signal that has aborted opens nothing, and one that aborts later closes nothing', async (t) => {
  const dataDirectory = await makeFolder(t);
  const stop = new AbortController();
  {
    await using db = await openDatabase({ dataDirectory, network: false, signal: stop.signal });
    stop.abort();
    await db.collection('c').put('k', { n: 1 });
  }
  const before = readdirSync(dataDirectory);
  await assert.rejects(openDatabase({ dataDirectory, network: false, signal: stop.signal }), { name: 'AbortError' });
  assert.deepEqual(readdirSync(dataDirectory), before);
  await assert.rejects(openDatabase({ signal: stop } as object), {
    name: 'TypeError',
    message: 'the signal of openDatabase is an object; give that of an AbortController, or none',
  });
});

test('an opening that is abandoned while backups are verified changes nothing, and the next one restores', async (t) => {
  const dataDirectory = await makeFolder(t);
  const options = {
    dataDirectory,
    network: false,
    persistence: { backupPath: join(dataDirectory, 'backups') },
  } as const;
  {
    await using db = await openDatabase(options);
    await db.collection('c').putMany(Array.from({ length: 1000 }, (_, i) => [`k${i}`, { pad: 'x'.repeat(1000) }]));
    await db.backup();
  }
  const path = join(dataDirectory, 'entgldb.db');
  truncateSync(path, 5000);
  const [damaged, names] = [readFileSync(path), readdirSync(dataDirectory)];
  let looks = 0;
  const isVerifying = (): boolean => process.getActiveResourcesInfo().includes('MessagePort') && ++looks > 3;
  await abandon(options, new Error('stopped'), isVerifying);
  assert.ok(readFileSync(path).equals(damaged));
  assert.deepEqual(readdirSync(dataDirectory), names);
  await using db = await openDatabase(options);
  assert.equal(await db.collection('c').count(), 1000);
});
