/**
 * Goal: commits in the redo log are as safe as others: nothing acknowledged is lost, nothing is applied twice, out of order
 * or to another database, and no file grows.
 * Method: real files, copied while the store is open, as a killed process leaves them; some are then damaged. Random
 * histories with crashes are in the conformance suite.
 */
import assert from 'node:assert/strict';
import fs, { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { StatementSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { parseCollectionName, parseDocumentKey } from '../../../core/ids/index.ts';
import { silentLogger } from '../../../core/logging/index.ts';
import { createManualClock, sampleDocument, sampleHead } from '../../../testing/index.ts';
import type { SqliteStoreOptions } from '../open-sqlite-store.ts';
import type { SqliteStore } from '../sqlite-store.ts';
import { neverCopied, openInFolder, withFolder } from '../test-folder.ts';

const C = parseCollectionName('c');
const PLACE = 'live';
const REDO_BYTES = 512 * 1024;

function write(store: SqliteStore, pos: number, text = ''): void {
  store.commit({
    head: sampleHead({ seq: pos, pos }),
    chain: true,
    documents: [sampleDocument({ key: `k${pos}`, pos, versions: [{ seq: pos, value: JSON.stringify({ text }) }] })],
  });
}

function writeMany(store: SqliteStore, from: number, to: number): void {
  for (let pos = from; pos <= to; pos++) write(store, pos);
}

/** How many of the documents 1, 2, 3 … are there. Fails if one is missing before another. */
function prefix(store: SqliteStore): number {
  const found = store.changes(0, 1_000_000).map(({ pos }) => pos);
  assert.deepEqual(
    found,
    found.map((_, i) => i + 1),
    'the documents are no prefix',
  );
  assert.equal(store.load().head?.pos ?? 0, found.length, 'head and documents tell of different moments');
  return found.length;
}

const openLive = (folder: string, options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> => {
  mkdirSync(join(folder, PLACE), { recursive: true });
  return openInFolder(join(folder, PLACE), options);
};

/** Opens a copy of the files of the live store, damaged by `spoil`, and hands it to `read`. */
async function afterCrash(
  folder: string,
  read: (found: SqliteStore) => void,
  spoil: (path: string) => void = () => {},
): Promise<void> {
  const copy = join(folder, 'crashed');
  cpSync(join(folder, PLACE), copy, { recursive: true });
  spoil(join(copy, 'test.db'));
  const found = await openInFolder(copy);
  try {
    read(found);
  } finally {
    await found.close();
    rmSync(copy, { recursive: true });
  }
}

/** A disk that writes every record but reports an error. */
function refuseRecords(t: TestContext): { recovers(): void } {
  const { writeSync } = fs;
  const refused = t.mock.method(fs, 'writeSync', (file: number, bytes: Buffer, ...place: [number, number, number]) => {
    const written = writeSync(file, bytes, ...place);
    if (bytes.toString('latin1', 0, 4) === 'EGDR')
      throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
    return written;
  });
  syncBuiltinESMExports();
  return {
    recovers: () => {
      refused.mock.restore();
      syncBuiltinESMExports();
    },
  };
}

for (const durability of ['full', 'normal'] as const) {
  test(`with durability ${durability}, a crash after any commit loses no commit and applies none twice`, () =>
    withFolder(async (folder) => {
      const store = await openLive(folder, { durability });
      for (let pos = 1; pos <= 300; pos += 23) {
        writeMany(store, pos, pos + 22);
        await store.flush();
        await afterCrash(folder, (found) => assert.equal(prefix(found), pos + 22));
      }
      await store.close();
    }));
}

test('small commits are in the redo log first, and in the database a moment later', () =>
  withFolder(async (folder) => {
    const clock = createManualClock();
    const store = await openLive(folder, { clock });
    writeMany(store, 1, 40);
    const withoutRedo = (path: string): void => rmSync(`${path}-redo`);
    await afterCrash(folder, (found) => assert.ok(prefix(found) < 40), withoutRedo);
    clock.advance(1000);
    await afterCrash(folder, (found) => assert.equal(prefix(found), 40), withoutRedo);
    await store.close();
    assert.ok(!existsSync(join(folder, PLACE, 'test.db-redo')), 'a clean end leaves no redo log');
  }));

test('a large commit and a backup first settle what was recorded before them', () =>
  withFolder(async (folder) => {
    const store = await openLive(folder);
    writeMany(store, 1, 30);
    await store.backup(join(folder, 'backup.db'));
    cpSync(join(folder, 'backup.db'), join(folder, 'restored', 'test.db'));
    const restored = await openInFolder(join(folder, 'restored'));
    assert.equal(prefix(restored), 30);
    await restored.close();
    writeMany(store, 31, 50);
    store.commit({
      head: sampleHead({ seq: 90, pos: 90 }),
      documents: Array.from({ length: 40 }, (_, i) => sampleDocument({ key: `k${51 + i}`, pos: 51 + i })),
    });
    await afterCrash(
      folder,
      (found) => assert.equal(prefix(found), 90),
      (path) => rmSync(`${path}-redo`),
    );
    await store.close();
  }));

test('the redo log keeps its size, whatever is written and however rarely it is flushed', () =>
  withFolder(async (folder) => {
    const store = await openLive(folder);
    const text = 'x'.repeat(20_000);
    for (let pos = 1; pos <= 400; pos++) write(store, pos, pos % 3 === 0 ? text : 'short');
    assert.equal(statSync(join(folder, PLACE, 'test.db-redo')).size, REDO_BYTES);
    await afterCrash(folder, (found) => assert.equal(prefix(found), 400));
    for (let pos = 401; pos <= 800; pos++) {
      write(store, pos, pos % 3 === 0 ? text : 'short');
      if (pos % 7 === 0) await store.flush();
    }
    assert.equal(statSync(join(folder, PLACE, 'test.db-redo')).size, REDO_BYTES);
    await afterCrash(folder, (found) => assert.equal(prefix(found), 800));
    await store.close();
  }));

for (const durability of ['full', 'normal'] as const) {
  for (const spoiled of [25, 39, 40]) {
    test(`with durability ${durability}, records from a flipped bit in ${spoiled} of 40 on are not applied, which is reported`, () =>
      withFolder(async (folder) => {
        const store = await openLive(folder, { durability });
        writeMany(store, 1, 40);
        await store.flush();
        const copy = join(folder, 'crashed', 'test.db');
        cpSync(join(folder, PLACE), join(folder, 'crashed'), { recursive: true });
        await store.close();
        const bytes = readFileSync(`${copy}-redo`);
        bytes[bytes.indexOf(`"k${spoiled}"`) + 1]! ^= 1;
        // Written in place, since a new file would count as a copy.
        for (const end of ['', '-wal', '.marker'])
          writeFileSync(join(folder, PLACE, `test.db${end}`), readFileSync(copy + end));
        writeFileSync(join(folder, PLACE, 'test.db-redo'), bytes);
        neverCopied(join(folder, PLACE, 'test.db'));
        const found = await openLive(folder, { durability });
        assert.equal(prefix(found), spoiled - 1);
        assert.equal(found.identity.isCutBack, true);
        assert.equal(found.identity.fresh, durability === 'full', 'with reserved seqs the life goes on');
        await found.close();
      }));
  }
}

test('records that do not follow the commits in the database are not applied', () =>
  withFolder(async (folder) => {
    const store = await openLive(folder);
    writeMany(store, 1, 20);
    const early = join(folder, 'early');
    cpSync(join(folder, PLACE), early, { recursive: true });
    for (let pos = 21; pos <= 300; pos++) {
      write(store, pos, 'x'.repeat(5000));
      await store.flush();
    }
    await afterCrash(
      folder,
      (found) => assert.ok(prefix(found) <= 20),
      (path) => {
        for (const end of ['', '-wal']) cpSync(join(early, `test.db${end}`), path + end);
        rmSync(`${path}-shm`, { force: true });
      },
    );
    await store.close();
  }));

test('records of an earlier opening are not applied again', () =>
  withFolder(async (folder) => {
    const store = await openLive(folder);
    writeMany(store, 1, 40);
    await store.flush();
    const old = readFileSync(join(folder, PLACE, 'test.db-redo'));
    await store.close();
    const again = await openLive(folder);
    again.commit({ removed: [{ collection: C, key: parseDocumentKey('k40'), pos: 41, why: 'purged', deadSince: 40 }] });
    await again.flush();
    await afterCrash(
      folder,
      (found) => assert.equal(found.get(C, parseDocumentKey('k40')), undefined),
      (path) => writeFileSync(`${path}-redo`, old),
    );
    await again.close();
  }));

test('a commit whose record the disk refuses goes to SQLite', (t) =>
  withFolder(async (folder) => {
    const said: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, text: string) => said.push(text) };
    const store = await openLive(folder, { logger });
    writeMany(store, 1, 20);
    const disk = refuseRecords(t);
    writeMany(store, 21, 22);
    disk.recovers();
    await store.flush();
    await afterCrash(folder, (found) => assert.equal(prefix(found), 22));
    writeMany(store, 23, 30);
    await store.flush();
    await afterCrash(folder, (found) => assert.equal(prefix(found), 30));
    await store.close();
    assert.deepEqual(said, ['the disk refused a record of the redo log; SQLite takes it'], 'once');
  }));

test('a failed commit does not come back after a crash, although its record was in the file', (t) =>
  withFolder(async (folder) => {
    const store = await openLive(folder);
    writeMany(store, 1, 20);
    const disk = refuseRecords(t);
    const { run } = StatementSync.prototype;
    const refused = t.mock.method(
      StatementSync.prototype,
      'run',
      function (this: StatementSync, ...values: Parameters<typeof run>) {
        if (this.sourceSQL === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
        return run.apply(this, values);
      },
    );
    assert.throws(() => write(store, 21), { reason: 'IO_FAILED' });
    refused.mock.restore();
    disk.recovers();
    assert.equal(prefix(store), 20);
    await afterCrash(folder, (found) => assert.equal(prefix(found), 20));
    write(store, 21, 'another one');
    await store.flush();
    await afterCrash(folder, (found) => assert.equal(prefix(found), 21));
    await store.close();
  }));

test('a refused sync of the redo log rejects the flush, and the store continues after a new load', () =>
  withFolder(async (folder) => {
    let isBroken = false;
    const dataSync = async (file: FileHandle): Promise<void> => {
      if (isBroken) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' });
      await file.datasync();
    };
    const store = await openLive(folder, { dataSync });
    writeMany(store, 1, 40);
    await store.flush();
    isBroken = true;
    write(store, 41);
    await assert.rejects(store.flush(), { reason: 'IO_FAILED' });
    assert.throws(() => write(store, 42), { reason: 'IO_FAILED' });
    isBroken = false;
    const next = (store.load().head?.pos ?? 0) + 1;
    assert.ok(next >= 41, 'nothing acknowledged was lost');
    writeMany(store, next, 60);
    await store.flush();
    await afterCrash(folder, (found) => assert.equal(prefix(found), 60));
    await store.close();
  }));

test('a small write waits for one short sync, of the redo log alone', () =>
  withFolder(async (folder) => {
    let syncs = 0;
    const dataSync = async (file: FileHandle): Promise<void> => {
      syncs++;
      await file.datasync();
    };
    const store = await openLive(folder, { dataSync });
    writeMany(store, 1, 20);
    await store.flush();
    syncs = 0;
    for (let pos = 21; pos <= 100; pos++) {
      write(store, pos);
      await store.flush();
    }
    assert.equal(syncs, 80);
    await store.close();
  }));

test('if no redo log can be made, commits continue without one', () =>
  withFolder(async (folder) => {
    const store = await openLive(folder);
    mkdirSync(join(folder, PLACE, 'test.db-redo'));
    writeMany(store, 1, 40);
    await store.flush();
    rmSync(join(folder, PLACE, 'test.db-redo'), { recursive: true });
    writeMany(store, 41, 60);
    await afterCrash(folder, (found) => assert.equal(prefix(found), 60));
    await store.close();
  }));
