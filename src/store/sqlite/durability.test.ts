/**
 * Goal: a flush resolves only when everything committed before it is on the disk, also after a sync that failed.
 * Method: real files with a sync that the test holds back or lets fail.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { sampleDocument } from '../../testing/index.ts';
import type { Store } from '../store.ts';
import { openInFolder, withFolder } from './test-folder.ts';

const C = parseCollectionName('c');
const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

function write(store: Store, pos: number): void {
  store.commit({ documents: [sampleDocument({ key: `k${pos}`, pos })] });
}

function has(store: Store, pos: number): boolean {
  return store.get(C, parseDocumentKey(`k${pos}`)) !== undefined;
}

/** A disk whose syncs end when the test lets them. */
function heldDisk() {
  const held: PromiseWithResolvers<void>[] = [];
  let waiting = Promise.withResolvers<void>();
  return {
    syncs: () => held.length,
    /** Resolves when a further sync has begun. */
    begun: async () => {
      await waiting.promise;
      waiting = Promise.withResolvers<void>();
    },
    end: (nth: number) => held[nth]!.resolve(),
    dataSync: (_file: FileHandle): Promise<void> => {
      const sync = Promise.withResolvers<void>();
      held.push(sync);
      waiting.resolve();
      return sync.promise;
    },
  };
}

test('flushes requested during a sync share the next one', () =>
  withFolder(async (folder) => {
    const disk = heldDisk();
    const store = await openInFolder(folder, { dataSync: disk.dataSync });
    const ended: number[] = [];
    const flush = (n: number): Promise<unknown> => store.flush().then(() => ended.push(n));
    write(store, 1);
    const all = [flush(1)];
    await disk.begun();
    write(store, 2);
    all.push(flush(2));
    write(store, 3);
    all.push(flush(3));
    assert.equal(disk.syncs(), 1);
    disk.end(0);
    await disk.begun();
    assert.deepEqual(ended, [1]);
    disk.end(1);
    await Promise.all(all);
    assert.deepEqual(ended, [1, 2, 3]);
    assert.equal(disk.syncs(), 2);
    await store.flush();
    assert.equal(disk.syncs(), 2, 'nothing new: no sync');
    await store.close();
  }));

test('with durability normal a flush waits for nothing', () =>
  withFolder(async (folder) => {
    const disk = heldDisk();
    const store = await openInFolder(folder, { durability: 'normal', dataSync: disk.dataSync });
    write(store, 1);
    await store.flush();
    assert.equal(disk.syncs(), 0);
    await store.close();
  }));

test('a refused sync rejects all waiting flushes, and the store continues after a new load', () =>
  withFolder(async (folder) => {
    let failures = 1;
    const dataSync = async (file: FileHandle): Promise<void> => {
      if (failures-- > 0)
        throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' });
      await file.datasync();
    };
    const store = await openInFolder(folder, { dataSync });
    write(store, 1);
    const flushes = await Promise.allSettled([store.flush(), store.flush()]);
    for (const flush of flushes) {
      assert.equal(flush.status, 'rejected');
      assert.equal(flush.status === 'rejected' && flush.reason.reason, 'IO_FAILED');
    }
    assert.throws(() => write(store, 2), { reason: 'IO_FAILED' });
    store.load();
    write(store, 2);
    await store.flush();
    assert.ok(has(store, 2));
    await store.close();
    const again = await openInFolder(folder);
    assert.ok(has(again, 2));
    await again.close();
  }));

test('while the disk keeps refusing, nothing is acknowledged', () =>
  withFolder(async (folder) => {
    let isBroken = true;
    const dataSync = async (file: FileHandle): Promise<void> => {
      if (isBroken) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'fdatasync' });
      await file.datasync();
    };
    const store = await openInFolder(folder, { dataSync });
    for (let pos = 1; pos <= 3; pos++) {
      write(store, pos);
      await assert.rejects(store.flush(), { reason: 'DISK_FULL' });
      store.load();
    }
    isBroken = false;
    write(store, 4);
    await store.flush();
    const copy = join(folder, 'copy.db');
    copyFileSync(join(folder, 'test.db'), copy);
    copyFileSync(join(folder, 'test.db-wal'), `${copy}-wal`);
    await store.close();
    const again = await openInFolder(folder);
    assert.ok(has(again, 4));
    await again.close();
  }));

test('the log is kept short while writing continues', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const value = JSON.stringify({ text: 'x'.repeat(2000) });
    for (let pos = 1; pos <= 20_000; pos += 500) {
      const documents = Array.from({ length: 500 }, (_, i) =>
        sampleDocument({ key: `k${pos + i}`, pos: pos + i, versions: [{ seq: pos + i, value }] }),
      );
      store.commit({ documents });
      await store.flush();
    }
    const { walBytes, databaseBytes } = store.statistics();
    assert.ok(databaseBytes > 40e6, `${databaseBytes} bytes were written`);
    assert.ok(walBytes <= 32 * 1024 * 1024, `the log has ${walBytes} bytes`);
    await store.close();
    assert.equal(
      statSync(join(folder, 'test.db-wal'), { throwIfNoEntry: false }),
      undefined,
      'a clean end leaves no log',
    );
  }));

test('acknowledged commits survive kill -9 at any moment', () =>
  withFolder(async (folder) => {
    const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      import { sampleDocument, sampleHead } from ${module('../../testing/index.ts')};
      import { openInFolder } from ${module('./test-folder.ts')};
      import { writeSync } from 'node:fs';
      const store = await openInFolder(${JSON.stringify(folder)}, { durability: process.argv[1] });
      if (store.identity.reason !== 'new' && store.identity.reason !== 'same') throw new Error(store.identity.reason);
      for (let pos = (store.load().head?.pos ?? 0) + 1; ; pos++) {
        store.commit({ head: sampleHead({ seq: pos, pos }), chain: true, documents: [sampleDocument({ key: 'k' + pos, pos })] });
        await store.flush();
        writeSync(1, pos + '\\n');
      }`;
    const rounds = 3 * SCALE;
    let acknowledged = 0;
    for (let round = 0; round < rounds; round++) {
      const args = ['--input-type=module', '-e', script, round % 2 === 0 ? 'full' : 'normal'];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = new Promise((resolve) => child.once('close', resolve));
      let said = '';
      const enough = 1 + 40 * round;
      child.stdout.on('data', (text) => {
        said += text;
        if (said.split('\n').length > enough) child.kill('SIGKILL');
      });
      await exited;
      acknowledged = Math.max(acknowledged, Number(said.split('\n').at(-2)));
      const store = await openInFolder(folder);
      assert.equal(store.identity.reason, 'same', `round ${round}`);
      for (let pos = 1; pos <= acknowledged; pos++) assert.ok(has(store, pos), `round ${round}: ${pos} is lost`);
      assert.equal(store.load().head?.pos, store.changes(0, 10 * acknowledged + 100).length, 'no half commit');
      await store.close();
    }
  }));

test('without a write-ahead log a commit is durable by itself', () =>
  withFolder(async (folder) => {
    const disk = heldDisk();
    const store = await openInFolder(folder, { walMode: false, dataSync: disk.dataSync });
    write(store, 1);
    await store.flush();
    assert.equal(disk.syncs(), 0);
    await store.close();
    const inWalMode = await openInFolder(folder);
    assert.ok(has(inWalMode, 1), 'the mode may be changed later');
    await inWalMode.close();
  }));
