/**
 * Goal: while another program locks the file, the process is not blocked and no write is lost, reordered or doubled; after
 * BusyTimeoutMs waiting writes fail with DATABASE_LOCKED. Method: a second connection locks a real file; the clock is moved
 * by hand.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../core/logging/index.ts';
import { openSqliteStore } from '../store/sqlite/index.ts';
import { createManualClock, type ManualClock } from '../testing/index.ts';
import { openOn, turn } from './test-database.ts';

const BUSY_MS = 5000;
/** How long one try may block. The pause between two tries is on the manual clock. */
const BLOCKED_MS_MAX = 500;

async function openLocked(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-locked-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'test.db');
  const clock = createManualClock();
  const store = await openSqliteStore({
    path,
    machineId: 'm',
    pid: process.pid,
    clock,
    logger: silentLogger,
    busyTimeoutMs: BUSY_MS,
  });
  const { db } = openOn(store, { clock });
  const other = new DatabaseSync(path);
  t.after(() => other.close());
  return { db, clock, other };
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await turn();
}

test('writes wait for the lock without blocking, and succeed in order when it is gone', async (t) => {
  const { db, clock, other } = await openLocked(t);
  const users = db.collection('users');
  await users.put('u', { n: 0 });
  other.exec('BEGIN IMMEDIATE');
  const writes = [1, 2, 3].map((n) => users.put('u', { n }));
  const more = Array.from({ length: 2500 }, (_, i) => users.put(`k${i}`, { i }));
  assert.deepEqual(await users.get('u'), { n: 0 }, 'reads work while writes wait');
  const flushed = db.flush();
  const passesMs: number[] = [];
  for (let i = 0; i < 10; i++) {
    const startedAt = performance.now();
    await pass(clock, 50);
    passesMs.push(performance.now() - startedAt);
  }
  // Waiting that blocks would make each of them long; a machine that stands still makes one or two.
  passesMs.sort((a, b) => a - b);
  assert.ok(passesMs[4]! < BLOCKED_MS_MAX, `${passesMs}`);
  other.exec('COMMIT');
  await pass(clock, 50);
  await Promise.all([...writes, ...more, flushed]);
  assert.deepEqual(await users.get('u'), { n: 3 });
  assert.equal(await users.count(), 2501);
  await db.close();
});

test('a unique index holds for writes that wait for the lock', async (t) => {
  const { db, clock, other } = await openLocked(t);
  const users = db.collection('users', { indexes: [{ on: 'mail', unique: true }] });
  await users.put('a', { mail: 'a' });
  other.exec('BEGIN IMMEDIATE');
  const writes = [
    users.put('b', { mail: 'b' }),
    users.put('c', { mail: 'b' }),
    users.put('a', { mail: 'c' }),
    users.put('d', { mail: 'c' }),
    db.transaction((tx) => tx.collection('users').put('e', { mail: 'b' })),
    users.put('f', { mail: 'f' }),
  ];
  const outcomes = Promise.all(
    writes.map((write) =>
      write.then(
        () => 'written',
        ({ reason }) => reason,
      ),
    ),
  );
  for (let i = 0; i < 3; i++) await pass(clock, 50);
  other.exec('COMMIT');
  for (let i = 0; i < 3; i++) await pass(clock, 50);
  const refused = 'UNIQUE_VIOLATION';
  assert.deepEqual(await outcomes, ['written', refused, 'written', refused, refused, 'written']);
  assert.deepEqual(await users.count({ mail: { $in: ['b', 'c', 'f'] } }), 3);
  await db.close();
});

test('after BusyTimeoutMs waiting writes fail with DATABASE_LOCKED, and later writes succeed', async (t) => {
  const { db, clock, other } = await openLocked(t);
  const users = db.collection('users');
  other.exec('BEGIN IMMEDIATE');
  const write = assert.rejects(users.put('u', { n: 1 }), { reason: 'DATABASE_LOCKED' });
  for (let ms = 0; ms <= BUSY_MS; ms += 500) await pass(clock, 500);
  await write;
  other.exec('COMMIT');
  await users.put('u', { n: 2 });
  assert.deepEqual(await users.get('u'), { n: 2 });
  await db.close();
});

test('a transaction waiting for the lock is rerun if commits come before it, and fails after its time limit', async (t) => {
  const { db, clock, other } = await openLocked(t);
  const users = db.collection<{ n: number }>('users');
  await users.put('u', { n: 0 });
  other.exec('BEGIN IMMEDIATE');
  let runs = 0;
  const { promise: read, resolve: wasRead } = Promise.withResolvers<void>();
  const copying = db.transaction(async (tx) => {
    runs++;
    const { n } = await tx.collection(users).require('u');
    wasRead();
    await tx.collection(users).put('copy', { n });
  });
  const put = users.put('u', { n: 5 });
  await read;
  for (let i = 0; i < 3; i++) await pass(clock, 50);
  assert.equal(runs, 1);
  other.exec('COMMIT');
  for (let i = 0; i < 5; i++) await pass(clock, 50);
  await Promise.all([put, copying]);
  assert.deepEqual(await users.get('copy'), { n: 5 });
  assert.equal(runs, 2);

  other.exec('BEGIN IMMEDIATE');
  const late = db.transaction((tx) => tx.collection(users).put('late', { n: 1 }), { timeoutMs: 200 });
  const timedOut = assert.rejects(late, { reason: 'TIMED_OUT' });
  for (let i = 0; i < 6; i++) await pass(clock, 50);
  await timedOut;
  other.exec('COMMIT');
  await pass(clock, 50);
  await db.flush();
  assert.equal(await users.get('late'), undefined);
  await db.close();
});
