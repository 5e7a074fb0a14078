/**
 * Goal: R9 at open: a file keeps its replica id only if nobody else can have written under it. There is one owner at a time,
 * and a file that cannot be opened is left unchanged.
 * Method: real files that are copied, swapped, cut off and tampered with between two openings; child processes as owners.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { parseCollectionName, parseDocumentKey, type ReplicaId } from '../../core/ids/index.ts';
import { sampleDocument, sampleHead, sampleReplica } from '../../testing/index.ts';
import type { Store, StoreIdentity } from '../store.ts';
import { writeMarker } from './files/marker.ts';
import { neverCopied, openInFolder, withFolder } from './test-folder.ts';

const C = parseCollectionName('c');
const K = parseDocumentKey('k');
const FILES = ['', '-wal', '-shm', '.marker'];

function write(store: Store, seq: number, replica = sampleReplica(1)): void {
  const document = sampleDocument({ key: 'k', pos: seq, versions: [{ replica, seq }] });
  store.commit({ head: sampleHead({ replica, seq, pos: seq }), documents: [document] });
}

/** Copies the files of an open database as they are: what the disk holds after a power cut. */
function cutPower(from: string, to: string): void {
  for (const suffix of FILES) {
    if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
  }
}

/** Overwrites a file with the bytes of another one and keeps its inode, as `cp` does. */
function copyInPlace(from: string, to: string): void {
  writeFileSync(to, readFileSync(from));
}

async function identityOf(folder: string, options: Parameters<typeof openInFolder>[1] = {}): Promise<StoreIdentity> {
  const store = await openInFolder(folder, options);
  await store.close();
  return store.identity;
}

test('a new file counts as new until it has a head, and as the same after that', () =>
  withFolder(async (folder) => {
    assert.deepEqual(await identityOf(folder), { fresh: true, reason: 'new', reservedSeq: 0, reservedPos: 0 });
    const store = await openInFolder(folder);
    assert.equal(store.identity.reason, 'new');
    write(store, 5);
    await store.close();
    assert.deepEqual(await identityOf(folder), { fresh: false, reason: 'same', reservedSeq: 5, reservedPos: 5 });
    assert.deepEqual(await identityOf(folder), { fresh: false, reason: 'same', reservedSeq: 5, reservedPos: 5 });
  }));

test('files and folders belong to their owner alone', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'data', 'deep', 'test.db');
    const store = await openInFolder(folder, { path });
    write(store, 1);
    for (const name of readdirSync(join(folder, 'data', 'deep'))) {
      assert.equal(statSync(join(folder, 'data', 'deep', name)).mode & 0o777, 0o600, name);
    }
    assert.equal(statSync(join(folder, 'data')).mode & 0o777, 0o700);
    await store.close();
  }));

test('after a power cut the file keeps its identity and everything that was flushed', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    write(store, 1);
    await store.flush();
    const image = join(folder, 'image');
    cutPower(path, image);
    await store.close();
    for (const suffix of FILES) if (existsSync(image + suffix)) copyInPlace(image + suffix, path + suffix);
    neverCopied(path);
    rmSync(`${path}-shm`, { force: true });
    const again = await openInFolder(folder);
    assert.equal(again.identity.reason, 'same');
    assert.equal(again.get(C, K)?.pos, 1);
    await again.close();
  }));

test('a file without its marker, with another one, on another machine or copied takes a new id', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const restart = async (): Promise<void> => {
      const store = await openInFolder(folder);
      write(store, (store.load().head?.seq ?? 0) + 1, sampleReplica(1 + (store.load().head?.pos ?? 0)));
      await store.close();
    };
    await restart();
    rmSync(`${path}.marker`);
    assert.equal((await identityOf(folder)).reason, 'marker-missing');
    assert.equal((await identityOf(folder)).fresh, true, 'it stays so until a new id is written');

    await restart();
    assert.equal((await identityOf(folder)).reason, 'same');
    const marker = readFileSync(`${path}.marker`);
    await restart();
    writeFileSync(`${path}.marker`, marker);
    assert.equal((await identityOf(folder)).reason, 'marker-mismatch');

    await restart();
    assert.equal((await identityOf(folder, { machineId: 'another' })).reason, 'other-machine');

    await restart();
    renameSync(path, `${path}.moved`);
    copyFileSync(`${path}.moved`, path);
    assert.equal((await identityOf(folder)).reason, 'other-machine', 'another inode');

    await restart();
    writeFileSync(`${path}.marker`, 'torn');
    assert.equal((await identityOf(folder)).reason, 'marker-missing');
  }));

test('a file that was rolled back by hand is noticed, whether the program ran on in between or not', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    write(store, 1);
    await store.close();
    const old = join(folder, 'old');
    copyFileSync(path, old);
    const next = await openInFolder(folder);
    write(next, 2);
    await next.close();
    copyInPlace(old, path);
    assert.equal((await identityOf(folder)).reason, 'marker-mismatch');
  }));

test('a new life is recognised at the next start, once it has written its first commit', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    write(store, 7);
    await store.close();
    rmSync(`${path}.marker`);
    const fresh = await openInFolder(folder);
    fresh.commit({ meta: new Map([['note', 'not a new life yet']]) });
    write(fresh, 1, sampleReplica(2));
    await fresh.close();
    assert.deepEqual(await identityOf(folder), { fresh: false, reason: 'same', reservedSeq: 1, reservedPos: 1 });
  }));

test('a log is set aside and kept when its main file was replaced by a backup', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    write(store, 1);
    const backup = join(folder, 'backup.db');
    await store.backup(backup);
    write(store, 2);
    await store.flush();
    const wal = readFileSync(`${path}-wal`);
    await store.close();
    copyInPlace(backup, path);
    writeFileSync(`${path}-wal`, wal);
    const restored = await openInFolder(folder);
    assert.equal(restored.identity.fresh, true);
    assert.equal(restored.get(C, K)?.pos, 1, 'the log of the other file was not mixed in');
    await restored.close();
    const aside = readdirSync(folder).filter((name) => name.includes('-wal.aside-'));
    assert.equal(aside.length, 1);
    assert.deepEqual(readFileSync(join(folder, aside[0]!)), wal);
  }));

test('a log is set aside when the main file is that of another node, however alike their generations are', () =>
  withFolder(async (folder) => {
    const leave = async (name: string, replica: ReplicaId, firstPos: number): Promise<string> => {
      const own = join(folder, name);
      const first = await openInFolder(own);
      write(first, firstPos, replica);
      await first.close();
      const second = await openInFolder(own);
      write(second, firstPos + 1, replica);
      await second.flush();
      mkdirSync(join(folder, `${name}-cut`));
      cutPower(join(own, 'test.db'), join(folder, `${name}-cut`, 'test.db'));
      await second.close();
      return join(folder, `${name}-cut`);
    };
    const [a, b] = [await leave('a', sampleReplica(1), 1), await leave('b', sampleReplica(2), 11)];
    const [mainOfA, mainOfB] = [readFileSync(join(a, 'test.db')), readFileSync(join(b, 'test.db'))];
    writeFileSync(join(a, 'test.db'), mainOfB);
    writeFileSync(join(b, 'test.db'), mainOfA);
    for (const [cut, pos] of [[a, 11] as const, [b, 1] as const]) {
      const store = await openInFolder(cut);
      assert.equal(store.identity.fresh, true);
      assert.equal(store.get(C, K)?.pos, pos, 'the log of the other file was not mixed in');
      await store.close();
      assert.equal(readdirSync(cut).filter((name) => name.includes('-wal.aside-')).length, 1);
    }
  }));

test('with durability normal, an unclean stop leaves a gap in the seqs and never a reuse', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const first = await openInFolder(folder, { durability: 'normal' });
    write(first, 1);
    await first.close();
    const store = await openInFolder(folder, { durability: 'normal' });
    const image = readFileSync(path);
    for (const seq of [2, 99_999, 250_000]) write(store, seq);
    const marker = readFileSync(`${path}.marker`);
    await store.close();
    // The main file and the marker reached the disk, but nothing of the log.
    writeFileSync(path, image);
    writeFileSync(`${path}.marker`, marker);
    neverCopied(path);
    const { fresh, reservedSeq, reservedPos } = await identityOf(folder, { durability: 'normal' });
    assert.equal(fresh, false);
    assert.ok(reservedSeq >= 250_000, `only ${reservedSeq} are reserved`);
    assert.ok(reservedPos >= 250_000, `only ${reservedPos} positions are reserved`);
  }));

test('with durability normal, a clean stop leaves no gap in seqs and positions', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { durability: 'normal' });
    write(store, 3);
    await store.close();
    const { reservedSeq, reservedPos } = await identityOf(folder, { durability: 'normal' });
    assert.deepEqual([reservedSeq, reservedPos], [3, 3]);
  }));

test('a file of a later format is refused and left unchanged', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    await (await openInFolder(folder)).close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    rmSync(`${path}-wal`, { force: true });
    rmSync(`${path}-shm`, { force: true });
    const before = readFileSync(path);
    await assert.rejects(openInFolder(folder), { reason: 'FORMAT_TOO_NEW' });
    assert.deepEqual(readFileSync(path), before);
  }));

test('a file that is not ours, or was emptied or truncated, is refused and left unchanged', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const refuses = async (bytes: Buffer | string): Promise<void> => {
      writeFileSync(path, bytes);
      const before = readFileSync(path);
      await assert.rejects(openInFolder(folder), { reason: 'DATABASE_CORRUPT' });
      assert.deepEqual(readFileSync(path), before);
    };
    await refuses('this is not a database, and it is longer than a header of one hundred bytes, or it would not count');
    rmSync(path);
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE t(a)');
    other.close();
    await refuses(readFileSync(path));
    rmSync(path);
    const store = await openInFolder(folder);
    write(store, 1);
    await store.close();
    const whole = readFileSync(path);
    await refuses('');
    await refuses(whole.subarray(0, 5000));
    writeFileSync(path, whole);
    assert.equal((await identityOf(folder)).reason, 'same', 'a refused opening releases the lock');
  }));

test('a file without one of its tables counts as damaged, so that a backup can replace it', () =>
  withFolder(async (folder) => {
    await (await openInFolder(folder)).close();
    const db = new DatabaseSync(join(folder, 'test.db'));
    db.exec('DROP TABLE gone');
    db.close();
    await assert.rejects(openInFolder(folder), { reason: 'DATABASE_CORRUPT' });
  }));

test('a database whose creation was cut short by a power cut is created again', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const db = new DatabaseSync(path);
    db.exec('PRAGMA journal_mode = WAL');
    db.close();
    writeMarker(`${path}.marker`, { replica: null, generation: 1, state: 'opening', reservedSeq: 0, reservedPos: 0 });
    assert.equal((await identityOf(folder)).reason, 'new');
  }));

test('a database whose first page was cut short by a power cut is created again; a half page without a journal is refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    // The first sector was not written, the last one was. The journal, written before, says that the file was empty.
    const page = Buffer.concat([Buffer.alloc(3584), Buffer.alloc(512, 7)]);
    const journal = Buffer.alloc(512);
    journal.write('d9d505f920a163d7', 'hex');
    journal.writeUInt32BE(512, 20);
    journal.writeUInt32BE(4096, 24);
    writeMarker(`${path}.marker`, { replica: null, generation: 1, state: 'opening', reservedSeq: 0, reservedPos: 0 });
    writeFileSync(path, page);
    await assert.rejects(openInFolder(folder), { reason: 'DATABASE_CORRUPT' });
    assert.deepEqual(readFileSync(path), page);
    writeFileSync(`${path}-journal`, journal);
    assert.equal((await identityOf(folder)).reason, 'new');
  }));

test('a second owner in the same process is refused, and the error names the first', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { pid: 4711 });
    await assert.rejects(openInFolder(folder), (error: Error & { reason: string; details: { pid: number } }) => {
      assert.equal(error.reason, 'DATABASE_LOCKED');
      assert.equal(error.details.pid, 4711);
      return error.message.includes('4711');
    });
    write(store, 1);
    await store.close();
    await (await openInFolder(folder)).close();
  }));

test('a pid file that cannot be removed keeps nobody out', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const pidPath = join(folder, 'test.db.pid');
    rmSync(pidPath);
    mkdirSync(pidPath);
    await store.close();
    rmSync(pidPath, { recursive: true });
    await (await openInFolder(folder)).close();
  }));

test('a second process is refused, and can take over as soon as the first is killed', () =>
  withFolder(async (folder) => {
    const script = `
      import { openInFolder } from ${JSON.stringify(new URL('./test-folder.ts', import.meta.url).href)};
      await openInFolder(${JSON.stringify(folder)}, { pid: process.pid });
      console.log('open');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await assert.rejects(openInFolder(folder), {
        reason: 'DATABASE_LOCKED',
        details: { path: join(folder, 'test.db'), pid: child.pid },
      });
    } finally {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
    await (await openInFolder(folder)).close();
  }));

test('the error for a folder in the place of any file of the database names it', async () => {
  for (const suffix of ['', '-wal', '-shm', '-redo', '.marker', '.lock', '.pid'])
    await withFolder(async (folder) => {
      const path = join(folder, `test.db${suffix}`);
      mkdirSync(path);
      await assert.rejects(openInFolder(folder), (error: Error & { reason: string }) => {
        assert.equal(error.reason, 'IO_FAILED');
        return error.message.startsWith(`${path} is a folder`);
      });
      assert.deepEqual(readdirSync(folder), [`test.db${suffix}`], 'nothing was made');
    });
});

test('a hard link to a database is refused, and the first name stays usable', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    write(store, 1);
    mkdirSync(join(folder, 'other'));
    linkSync(join(folder, 'test.db'), join(folder, 'other', 'test.db'));
    await assert.rejects(openInFolder(join(folder, 'other')), { reason: 'IO_FAILED', message: /hard link/ });
    await store.close();
    assert.equal((await identityOf(folder)).reason, 'same');
    await assert.rejects(openInFolder(join(folder, 'other')), { reason: 'IO_FAILED' });
  }));

test('no database is created through a link to a missing file', () =>
  withFolder(async (folder) => {
    symlinkSync(join(folder, 'unmounted', 'test.db'), join(folder, 'test.db'));
    await assert.rejects(openInFolder(folder), { reason: 'IO_FAILED', message: /is its disk mounted/ });
    assert.ok(!existsSync(join(folder, 'unmounted')));
  }));
