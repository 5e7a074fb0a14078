/**
 * Goal: a resume token that names a change which this file has lost yields a reset, whatever has been written since; no other
 * token does. Method: files as a backup, a power cut, a killed process or a twin leaves them.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMemoryStore, type MemoryStore, memoryStoreFromSnapshot } from '../../store/index.ts';
import { neverCopied, openInFolder, withFolder } from '../../store/sqlite/test-folder.ts';
import { applyRemote, iteratorOf, openOn, turn } from '../test-database.ts';
import { type Doc, nextOf, take, textOf } from './test-changes.ts';

test('a token whose change a restored file has lost yields a reset, then new changes', async () => {
  const store = createMemoryStore();
  const { db } = openOn(store);
  const users = db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  const early = (await nextOf(changes)).resume;
  const image = store.snapshot();
  await users.put('b', { n: 2 });
  const late = (await nextOf(changes)).resume;
  const { db: restored } = openOn(memoryStoreFromSnapshot(image), { seed: 2 });
  const restoredUsers = restored.collection<Doc>('users');
  await restoredUsers.put('c', { n: 3 });
  assert.deepEqual(await take(iteratorOf(restoredUsers.watch({ resume: early })), 1), ['put c=3']);
  const behind = iteratorOf(restoredUsers.watch({ resume: late }));
  assert.deepEqual(await take(behind, 1), ['reset']);
  await restoredUsers.put('d', { n: 4 });
  assert.deepEqual(await take(behind, 1), ['put d=4']);
});

test('a token from a state that a restored backup does not reach yields a reset, even if its own position is in the backup', async () => {
  const store = createMemoryStore();
  const { db } = openOn(store);
  const users = db.collection<Doc>('users');
  const first = iteratorOf(users.watch());
  await users.put('z', { n: 0 });
  const early = (await nextOf(first)).resume;
  for (const key of ['a', 'b', 'c']) await users.put(key, { n: 1 });
  const image = store.snapshot();
  // From here on, b is not where it was, and the watcher passes over that place.
  await users.put('b', { n: 2 });
  const slow = iteratorOf(users.watch({ resume: early }));
  const [a, c] = [await nextOf(slow), await nextOf(slow)];
  assert.deepEqual([textOf(a), textOf(c)], ['put a=1', 'put c=1']);
  const { db: restored } = openOn(memoryStoreFromSnapshot(image), { seed: 2 });
  for (const { resume } of [a, c])
    assert.deepEqual(await take(iteratorOf(restored.collection<Doc>('users').watch({ resume })), 1), ['reset']);
  const { resume } = await nextOf(slow);
  assert.deepEqual(
    await take(iteratorOf(users.watch({ resume: c.resume })), 1),
    ['put b=2'],
    'no reset where it was given',
  );
  assert.equal(resume.split('.').length, 4, 'a watcher that has caught up has a short token');
});

test('a token of changes that a power cut took back yields a reset, also when newer changes have come', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const open = async (seed: number) => openOn(await openInFolder(folder, { durability: 'normal' }), { seed });
    const first = await open(1);
    await first.db.collection('users').put('a', { n: 1 });
    await first.db.close();
    const tokens: string[] = [];
    for (let run = 2; run <= 4; run++) {
      const { db } = await open(run);
      const kept = readFileSync(path);
      const users = db.collection<Doc>('users');
      for (const resume of tokens) assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), ['reset']);
      const changes = iteratorOf(users.watch());
      await users.put('lost', { n: run });
      for (const resume of tokens) assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), ['reset']);
      const { resume } = await nextOf(changes);
      tokens.push(resume);
      await users.put('next', { n: run });
      assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), [`put next=${run}`]);
      const marker = readFileSync(`${path}.marker`);
      await db.close();
      // What the disk holds when the power fails before anything of a log has reached it.
      writeFileSync(path, kept);
      writeFileSync(`${path}.marker`, marker);
      neverCopied(path);
    }
  }));

test('what a power cut took back keeps its name and its position if the next opening writes nothing', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const open = async (seed: number) => openOn(await openInFolder(folder, { durability: 'normal' }), { seed });
    const { db } = await open(1);
    const users = db.collection<Doc>('users');
    await users.put('a', { n: 1 });
    await db.close();
    const { db: cut } = await open(1);
    const kept = readFileSync(path);
    const changes = iteratorOf(cut.collection<Doc>('users').watch());
    await cut.collection('users').put('lost', { n: 2 });
    const { resume } = await nextOf(changes);
    const { id, seq } = cut.replica;
    const marker = readFileSync(`${path}.marker`);
    await cut.close();
    writeFileSync(path, kept);
    writeFileSync(`${path}.marker`, marker);
    neverCopied(path);
    for (const seed of [2, 3]) await (await open(seed)).db.close();
    const { db: last } = await open(4);
    const others = last.collection<Doc>('users');
    await others.put('b', { n: 3 });
    await others.put('c', { n: 4 });
    assert.equal(last.replica.id, id);
    assert.ok(last.replica.seq > seq + 1, 'the name of the lost write is not given to another one');
    assert.deepEqual(await take(iteratorOf(others.watch({ resume })), 1), ['reset']);
    await last.close();
  }));

test('with durability normal, a token stays valid when the process is killed again and again', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'test.db');
    const tokens: string[] = [];
    for (let run = 1; run <= 4; run++) {
      const store = await openInFolder(folder, { durability: 'normal' });
      const { db } = openOn(store, { seed: run });
      const users = db.collection<Doc>('users');
      const changes = iteratorOf(users.watch());
      await users.put(`k${run}`, { n: run });
      tokens.push((await nextOf(changes)).resume);
      for (const [i, resume] of tokens.entries())
        if (i < run - 1)
          assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), [`put k${i + 2}=${i + 2}`]);
      const files = ['', '-wal', '-redo', '.marker'].filter((end) => existsSync(path + end));
      const left = files.map((end) => [path + end, readFileSync(path + end)] as const);
      await db.close();
      for (const [name, bytes] of left) writeFileSync(name, bytes);
      neverCopied(path);
    }
  }));

test('a token from a life that had a twin yields a reset', async () => {
  const { db } = openOn(createMemoryStore());
  const users = db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  const { resume } = await nextOf(changes);
  db.replica.takeNewLife('for a test', 'forked');
  await db.flush();
  assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), ['reset']);
  assert.deepEqual(await take(changes, 1), ['put a=1'], 'a watcher that runs on misses nothing');
});

/** A disk whose syncs wait until the test completes them. */
function heldDisk(): { readonly store: MemoryStore; readonly syncs: PromiseWithResolvers<void>[] } {
  const syncs: PromiseWithResolvers<void>[] = [];
  const sync = (): Promise<void> => {
    syncs.push(Promise.withResolvers<void>());
    return syncs.at(-1)!.promise;
  };
  return { store: createMemoryStore({ sync }), syncs };
}

test('a change does not wait for ever for a later commit that nobody makes durable', async () => {
  const { db } = openOn(createMemoryStore());
  const changes = iteratorOf(db.collection<Doc>('users').watch());
  applyRemote(db, 'users', 'a', '{"n":1}', 1);
  await db.flush();
  // What is done once after opening is done.
  for (let i = 0; i < 10; i++) await turn();
  applyRemote(db, 'users', 'b', '{"n":2}', 2);
  const { resume } = await nextOf(changes);
  assert.deepEqual(await take(iteratorOf(db.collection<Doc>('users').watch({ resume })), 1), ['put b=2']);
});

test('a change is not missed if a later one of the same document is lost in a failed sync', async () => {
  const { store, syncs } = heldDisk();
  const { db } = openOn(store);
  const users = db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  const heard = (async () => {
    const texts: string[] = [];
    while (texts.at(-1) !== 'put end=3') texts.push(...(await take(changes, 1)));
    return texts;
  })();
  const first = users.put('a', { n: 1 });
  await turn();
  const lost = users.put('a', { n: 2 });
  await users.get('a');
  syncs.shift()!.resolve();
  await first;
  await turn();
  syncs.shift()!.reject(new Error('the disk is gone'));
  await assert.rejects(lost, /gone/);
  assert.deepEqual(await users.get('a'), { n: 1 });
  const last = users.put('end', { n: 3 });
  await turn();
  syncs.shift()!.resolve();
  await last;
  assert.deepEqual(await heard, ['put a=1', 'put end=3']);
});
