/**
 * Goal: other content that is written over the open main file is noticed, whatever its size, and nothing else is taken for it. Method:
 * real files, which a process of its own reads, copies, touches and shortens: closing the file here would take SQLite's locks away.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createManualClock, sampleDocument } from '../../../testing/index.ts';
import { verifySqliteFile } from '../index.ts';
import type { SqliteStoreOptions } from '../open-sqlite-store.ts';
import type { SqliteStore } from '../sqlite-store.ts';
import { openInFolder, withFolder } from '../test-folder.ts';

const clock = createManualClock();
/** Documents in each state, so that all states have the same size. */
const DOCUMENTS = 50;

/** Runs JavaScript in another process. */
function elsewhere(code: string, ...args: string[]): void {
  const load = `const fs = require('node:fs'); const { DatabaseSync } = require('node:sqlite'); const [a, b] = process.argv.slice(1);`;
  execFileSync(process.execPath, ['-e', `${load} ${code}`, ...args]);
}

const copy = (from: string, to: string): void => elsewhere('fs.copyFileSync(a, b)', from, to);

/** Brings the store into the state with this number, and the state into the main file. */
async function write(store: SqliteStore, state: number): Promise<void> {
  const documents = Array.from({ length: DOCUMENTS }, (_, i) =>
    sampleDocument({ key: `k${i}`, pos: state * DOCUMENTS + i + 1, versions: [{ seq: state + 1 }] }),
  );
  store.commit({ documents });
  await store.compact();
}

const modes: Readonly<Record<string, Partial<SqliteStoreOptions>>> = {
  'a write-ahead log': {},
  'a rollback journal': { walMode: false },
};

for (const [mode, options] of Object.entries(modes)) {
  test(`with ${mode}: an older copy of the same size is noticed, stays as it is, and is what the next opening finds`, () =>
    withFolder(async (folder) => {
      const path = join(folder, 'test.db');
      const store = await openInFolder(folder, options);
      await write(store, 0);
      copy(path, join(folder, 'old.db'));
      await write(store, 1);
      const { size } = statSync(path);
      assert.equal(await store.isInPlace(), true);
      copy(join(folder, 'old.db'), path);
      assert.equal(statSync(path).size, size);
      assert.deepEqual([await store.isInPlace(), store.isWrittenOver], [false, true]);
      assert.equal(await store.keepInPlace(), false);
      await assert.rejects(store.compact(), { reason: 'IO_FAILED' });
      await store.close();
      const old = readFileSync(join(folder, 'old.db'));
      assert.ok(readFileSync(path).equals(old), 'the copy was changed');
      const again = await openInFolder(folder, options);
      assert.deepEqual(
        again.documents(sampleDocument({ key: 'k', pos: 1 }).collection, null, 1).map(({ pos }) => pos),
        [1],
      );
      assert.equal(again.identity.fresh, true, 'what followed the copy may be known to peers');
      await again.close();
      assert.deepEqual(await verifySqliteFile(path, { clock }), []);
    }));

  test(`with ${mode}: a backup and the file of another node are noticed`, () =>
    withFolder(async (folder) => {
      const other = await openInFolder(join(folder, 'other'), { ...options, machineId: 'another' });
      await write(other, 0);
      await other.close();
      const backup = join(folder, 'backup.db');
      for (const from of [join(folder, 'other', 'test.db'), backup]) {
        const store = await openInFolder(join(folder, 'mine'), options);
        await write(store, 2);
        await store.backup(backup, { overwrite: true });
        assert.equal(await store.isInPlace(), true);
        copy(from, join(folder, 'mine', 'test.db'));
        assert.equal(await store.isInPlace(), false, from);
        await store.close();
      }
    }));

  test(`with ${mode}: commits, compactions, and programs that read, touch or shorten the log are no reason for alarm`, () =>
    withFolder(async (folder) => {
      const path = join(folder, 'test.db');
      const store = await openInFolder(folder, options);
      for (let state = 0; state < 5; state++) {
        await write(store, state);
        store.commit({ meta: new Map([['state', `${state}`]]) });
        copy(path, join(folder, 'copy.db'));
        elsewhere('new DatabaseSync(a, { readOnly: true }).prepare("SELECT count(*) FROM doc").get()', path);
        assert.equal(await store.isInPlace(), true);
        elsewhere('const db = new DatabaseSync(a); db.exec("PRAGMA wal_checkpoint(PASSIVE)"); db.close()', path);
        utimesSync(path, 1, 1);
        assert.equal(await store.keepInPlace(), true);
        store.commit({ meta: new Map([['state', `${state} again`]]) });
      }
      assert.equal(await store.isInPlace(), true);
      await store.close();
      assert.deepEqual(await verifySqliteFile(path, { clock }), []);
    }));
}

test('what is copied back before anything else reached the main file changes nothing, and is no reason for alarm', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    await write(store, 0);
    copy(path, join(folder, 'copy.db'));
    store.commit({ meta: new Map([['note', 'kept']]) });
    copy(join(folder, 'copy.db'), path);
    assert.equal(await store.isInPlace(), true);
    await store.close();
    const again = await openInFolder(folder);
    assert.equal(again.meta('note'), 'kept');
    await again.close();
  }));

test('checkpoints by the thread under steady writing are no reason for alarm, and an older copy is noticed before the next one', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const store = await openInFolder(folder);
    await write(store, 0);
    copy(path, join(folder, 'old.db'));
    const pad = JSON.stringify('x'.repeat(2000));
    const isCopied = (): boolean => statSync(path).size > 20 * statSync(join(folder, 'old.db')).size;
    let pos = DOCUMENTS;
    while (!isCopied()) {
      store.commit({
        documents: Array.from({ length: 500 }, () => sampleDocument({ key: `n${++pos}`, pos, value: pad })),
      });
      await store.flush();
      assert.equal(await store.isInPlace(), true);
      await new Promise(setImmediate);
    }
    copy(join(folder, 'old.db'), path);
    assert.equal(await store.isInPlace(), false);
    await store.close();
    assert.ok(readFileSync(path).equals(readFileSync(join(folder, 'old.db'))));
  }));

/** The suffixes of what a copy of the folder would hold of a running node. */
const COPIED = ['-wal', '-shm', '-redo', '.marker'];

for (const isRestarted of [false, true])
  test(`older logs are noticed beside a main file that fits, and do not get into it; a round of the log later: ${isRestarted}`, () =>
    withFolder(async (folder) => {
      const path = join(folder, 'test.db');
      const store = await openInFolder(folder);
      await write(store, 0);
      store.commit({ meta: new Map([['note', 'old']]) });
      for (const suffix of COPIED) if (existsSync(path + suffix)) copy(path + suffix, join(folder, `old.db${suffix}`));
      if (isRestarted) await write(store, 1);
      store.commit({ meta: new Map([['note', 'new']]) });
      assert.equal(await store.keepInPlace(), true);
      const main = readFileSync(path);
      for (const suffix of COPIED) if (existsSync(path + suffix)) copy(join(folder, `old.db${suffix}`), path + suffix);
      assert.equal(await store.keepInPlace(), false);
      assert.equal(store.isWrittenOver, true);
      await store.close();
      assert.ok(readFileSync(path).equals(main), 'the main file was changed');
      const again = await openInFolder(folder);
      assert.deepEqual([again.identity.fresh, again.meta('note')], [true, isRestarted ? 'old' : undefined]);
      await again.close();
      assert.deepEqual(await verifySqliteFile(path, { clock }), []);
    }));
