/**
 * Goal: backups are complete, and never displace an older one that somebody relies on. Method: the real SQLite store and real files.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../core/logging/index.ts';
import { backupFiles } from '../../node/files/index.ts';
import { verifySqliteFile } from '../../store/index.ts';
import { openInFolder, withFolder } from '../../store/sqlite/test-folder.ts';
import { createManualClock } from '../../testing/index.ts';
import { BackupService, type BackupServiceOptions } from './index.ts';

/** 2026-01-15T10:30:00Z */
const START_MS = 1_768_473_000_000;
const HOUR = 3_600_000;

/** Every backup is of this database. */
const OWN = { replica: 'own', pos: 1, former: new Map<string, number>(), node: 'a' };
const OF_ONE = { stateIn: async () => OWN, own: () => ({ ...OWN, isOpen: true }) };

async function setUp(base: string, options: Partial<BackupServiceOptions> = {}) {
  const clock = createManualClock({ startMs: START_MS });
  const store = await openInFolder(base);
  const lines: string[] = [];
  const logger = {
    ...silentLogger,
    error: (_: object, message: string) => lines.push(`error ${message}`),
    info: (_: object, message: string) => lines.push(`info ${message}`),
  };
  const folder = join(base, 'backups');
  const open = (): BackupService =>
    new BackupService({
      folder,
      base,
      databasePath: join(base, 'test.db'),
      logger,
      ...options,
      database: store,
      files: backupFiles,
      verify: (path) => verifySqliteFile(path, { clock }),
      ...OF_ONE,
      clock,
    });
  return { clock, store, folder, lines, open, backups: open(), names: () => readdirSync(folder).sort() };
}

test('a manual backup gets the given name, or one with date and time, and becomes latest.db', () =>
  withFolder(async (base) => {
    const { backups, store, folder, names, lines } = await setUp(base);
    assert.equal(await backups.backup('backups/backup-20260115.db'), join(folder, 'backup-20260115.db'));
    assert.equal(await backups.backup(null), join(folder, 'backup-20260115T103000Z.db'));
    assert.equal(await backups.backup(null), join(folder, 'backup-20260115T103000Z-2.db'));
    assert.deepEqual(names(), [
      'backup-20260115.db',
      'backup-20260115T103000Z-2.db',
      'backup-20260115T103000Z.db',
      'latest.db',
    ]);
    const latest = join(folder, 'latest.db');
    assert.deepEqual(readFileSync(latest), readFileSync(join(folder, 'backup-20260115T103000Z-2.db')));
    assert.equal(statSync(latest).nlink, 1, 'a file of its own');
    assert.equal(statSync(latest).mode & 0o077, 0, 'for its owner only');
    assert.equal(lines.filter((line) => line === 'info backup created').length, 3);
    await store.close();
  }));

test('an existing file is replaced only on request', () =>
  withFolder(async (base) => {
    const { backups, store } = await setUp(base);
    await backups.backup('a.db');
    await assert.rejects(backups.backup('a.db'), { reason: 'BACKUP_EXISTS' });
    assert.match(backups.lastError ?? '', /exists/);
    await backups.backup('a.db', { overwrite: true });
    assert.equal(backups.lastError, null);
    await store.close();
  }));

test('where latest.db cannot be replaced, the error says that the backup was made, and old ones are removed', () =>
  withFolder(async (base) => {
    const { backups, clock, store, names } = await setUp(base, { retention: 2 });
    mkdirSync(join(base, 'backups', 'latest.db'), { recursive: true });
    const said = /^the backup .*\.db was made, but latest\.db is still an older one: .*it is a folder/;
    await assert.rejects(backups.backup('a.db'), { reason: 'IO_FAILED', message: said });
    assert.match(backups.lastError ?? '', said);
    for (let nth = 0; nth < 4; nth++) {
      clock.advance(HOUR);
      await assert.rejects(backups.automatic(), { message: said });
    }
    assert.equal(names().filter((name) => name.startsWith('auto-')).length, 2);
    await store.close();
  }));

test('the newest automatic backups stay, and manual ones always do', () =>
  withFolder(async (base) => {
    const { backups, clock, store, names } = await setUp(base, { retention: 2 });
    await backups.backup('kept.db');
    for (let i = 0; i < 4; i++) {
      await backups.automatic();
      clock.advance(HOUR);
    }
    assert.deepEqual(names(), ['auto-20260115T123000Z.db', 'auto-20260115T133000Z.db', 'kept.db', 'latest.db']);
    await store.close();
  }));

test('a node that is stopped again and again does not displace the backups of hours before', () =>
  withFolder(async (base) => {
    const { backups, clock, store, names } = await setUp(base, { retention: 4, spacingMs: HOUR / 2 });
    for (let i = 0; i < 4; i++) {
      await backups.automatic();
      clock.advance(HOUR);
    }
    for (let i = 0; i < 20; i++) {
      await backups.automatic();
      clock.advance(60_000);
    }
    const kept = ['123000', '133000', '143000', '144900'];
    assert.deepEqual(
      names().slice(0, -1),
      kept.map((time) => `auto-20260115T${time}Z.db`),
    );
    clock.advance(HOUR);
    await backups.automatic();
    assert.ok(names().includes('auto-20260115T123000Z.db'), 'the one that was made soon after another goes first');
    assert.ok(!names().includes('auto-20260115T144900Z.db'));
    await store.close();
  }));

test('backups named under a clock years ahead displace no real ones, and are not restored before them', () =>
  withFolder(async (base) => {
    const { backups, clock, store, names, open } = await setUp(base, { retention: 2 });
    clock.setWall(START_MS + 10 * 365 * 24 * HOUR);
    for (let i = 0; i < 3; i++) {
      await backups.automatic();
      clock.advance(HOUR);
    }
    clock.setWall(START_MS);
    const again = open();
    await again.findLast();
    assert.equal(again.lastBackupAt, null, 'the next one is due at once');
    const first = await again.automatic();
    assert.equal((await again.newestGood())?.path, first);
    clock.advance(HOUR);
    await again.automatic();
    assert.deepEqual(names(), ['auto-20260115T103000Z.db', 'auto-20260115T113000Z.db', 'latest.db']);
    // A small step back, which puts nothing into the future.
    clock.setWall(START_MS + HOUR - 30_000);
    const made = await again.automatic();
    assert.ok(names().includes(made.slice(made.lastIndexOf('/') + 1)));
    await store.close();
  }));

test('the list is newest first with ages, includes backups from before the start, and omits interrupted ones', () =>
  withFolder(async (base) => {
    const { backups, clock, store, folder, open, names } = await setUp(base);
    await backups.automatic();
    clock.advance(2 * HOUR);
    await backups.automatic();
    writeFileSync(join(folder, 'auto-20260115T140000Z.db.partial'), 'half');
    writeFileSync(join(folder, 'auto-20260115T140000Z.db.partial-journal'), 'half');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const again = open();
    const list = await again.list();
    assert.deepEqual(
      list.map(({ name, kind, ageMs }) => [name, kind, kind === 'latest' ? 0 : ageMs]),
      [
        ['auto-20260115T123000Z.db', 'automatic', 0],
        ['auto-20260115T103000Z.db', 'automatic', 2 * HOUR],
        ['latest.db', 'latest', 0],
      ],
    );
    await again.findLast();
    assert.equal(again.lastBackupAt, START_MS + 2 * HOUR);
    await again.removePartial();
    assert.deepEqual(names(), ['auto-20260115T103000Z.db', 'auto-20260115T123000Z.db', 'latest.db', 'notes.txt']);
    await store.close();
  }));

test('the newest good backup is found although newer ones are damaged', () =>
  withFolder(async (base) => {
    const { backups, clock, store, folder, lines } = await setUp(base);
    const good = await backups.automatic();
    for (let i = 0; i < 2; i++) {
      clock.advance(HOUR);
      await backups.automatic();
    }
    const bytes = readFileSync(join(folder, 'auto-20260115T113000Z.db'));
    writeFileSync(join(folder, 'auto-20260115T113000Z.db'), bytes.fill(0xff, 8192));
    writeFileSync(join(folder, 'auto-20260115T123000Z.db'), 'no database at all');
    assert.equal((await backups.newestGood())?.path, good);
    assert.equal(lines.filter((line) => line.startsWith('error a backup is damaged')).length, 2);
    await store.close();
  }));

test('without a folder there are no backups, unless the call allows any place', () =>
  withFolder(async (base) => {
    const { backups, store } = await setUp(base, { folder: null });
    await assert.rejects(backups.backup('a.db'), { reason: 'OPTION_INVALID' });
    await assert.rejects(backups.automatic(), { reason: 'OPTION_INVALID' });
    assert.deepEqual(await backups.list(), []);
    assert.equal(await backups.newestGood(), undefined);
    await store.close();
    const free = await setUp(join(base, 'free'), { folder: null });
    assert.equal(await free.backups.backup('a.db', { isAnywhereAllowed: true }), join(base, 'free', 'a.db'));
    await free.store.close();
  }));

test('backups are made one at a time, in the order of the calls, and an aborted one leaves nothing', () =>
  withFolder(async (base) => {
    const { backups, store, names } = await setUp(base);
    const stop = new AbortController();
    const first = backups.backup('a.db');
    const second = backups.backup('b.db', { signal: stop.signal });
    stop.abort(new Error('no longer wanted'));
    await first;
    await assert.rejects(second, /no longer wanted/);
    assert.equal(backups.lastError, null);
    assert.deepEqual(names(), ['a.db', 'latest.db']);
    await store.close();
  }));
