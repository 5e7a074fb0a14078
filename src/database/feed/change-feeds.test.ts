/**
 * Goal: a watcher yields every change after it is durable, in order, from wherever it starts, and nothing else.
 * Method: single cases, then random histories of writes, deletes, purges, remote changes and failed flushes on both stores:
 * a copy made only from what the watcher yields must end up equal to the collection.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { createMemoryStore, type MemoryStore } from '../../store/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import type { Change } from '../api.ts';
import type { LocalDatabase } from '../database.ts';
import {
  applyRemote,
  collect,
  forEachSeed,
  iteratorOf,
  openOn,
  openTestDatabase,
  type TestDisk,
  testOnStores,
  turn,
} from '../test-database.ts';
import { type Doc, nextOf, take, textOf } from './test-changes.ts';

testOnStores('a watcher yields the puts and deletes of its collection in order, with their origin', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<Doc>('users');
  const others = opened.db.collection<Doc>('others');
  const changes = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  await others.put('x', { n: 1 });
  await users.delete('a');
  applyRemote(opened.db, 'users', 'b', '{"n":2}');
  await opened.db.flush();
  const seen = [await nextOf(changes), await nextOf(changes)];
  assert.deepEqual(seen.map(textOf), ['delete a', 'put b=2'], 'the newest state of each document');
  assert.deepEqual(
    seen.map((change) => change.kind !== 'reset' && change.origin),
    ['local', 'remote'],
  );
  const pending = changes.next();
  await others.put('y', { n: 1 });
  await users.put('c', { n: 3 });
  assert.deepEqual(textOf((await pending).value!), 'put c=3');
});

test('a change is not yielded before it is durable, and never if it was lost', async () => {
  const syncs: PromiseWithResolvers<void>[] = [];
  const store = createMemoryStore({
    sync: () => {
      const held = Promise.withResolvers<void>();
      syncs.push(held);
      return held.promise;
    },
  });
  const { db } = openOn(store);
  const users = db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  let heard = 0;
  const first = changes.next().then((result) => {
    heard++;
    return result;
  });
  const lost = users.put('lost', { n: 1 });
  await turn();
  await turn();
  assert.equal(heard, 0);
  syncs.shift()!.reject(new Error('the disk is gone'));
  await assert.rejects(lost, /gone/);
  const kept = users.put('kept', { n: 2 });
  await turn();
  syncs.shift()!.resolve();
  await kept;
  assert.equal(textOf((await first).value!), 'put kept=2');
});

testOnStores('a resume token continues after its change, also after the database is reopened', async (disk) => {
  const first = await openTestDatabase(disk);
  const users = first.db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  await users.put('b', { n: 2 });
  const { resume } = await nextOf(changes);
  assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), ['put b=2']);
  await users.delete('a');
  await first.db.close();
  await using again = await openTestDatabase(disk, { seed: 2 });
  const usersAgain = again.db.collection<Doc>('users');
  const resumed = iteratorOf(usersAgain.watch({ resume }));
  assert.deepEqual(await take(resumed, 2), ['put b=2', 'delete a']);
  await usersAgain.put('c', { n: 3 });
  assert.deepEqual(await take(resumed, 1), ['put c=3']);
});

testOnStores('a token stays valid when the replica id changes', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  const { resume } = await nextOf(changes);
  opened.db.replica.takeNewLife('for a test', 'plain');
  await users.put('b', { n: 2 });
  assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), ['put b=2']);
});

test('a token of another database, one of the future, and a malformed one are refused', async () => {
  await using one = await openTestDatabase(undefined, { seed: 1 });
  await using other = await openTestDatabase(undefined, { seed: 2 });
  const users = one.db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  const { resume } = await nextOf(changes);
  const future = resume.replace(/\.1\.1$/, '.zz.zz');
  assert.notEqual(future, resume);
  for (const bad of [
    future,
    '',
    '1',
    'x'.repeat(100_000),
    `${resume}0 `,
    resume.replace(/\.1\.1$/, '.0.1'),
    7,
    null,
    {},
    '__proto__',
  ])
    await assert.rejects(iteratorOf(users.watch({ resume: bad as never })).next(), { reason: 'RESUME_TOKEN_INVALID' });
  await assert.rejects(iteratorOf(other.db.collection('users').watch({ resume })).next(), {
    reason: 'RESUME_TOKEN_INVALID',
  });
  assert.equal(one.db.watchers, 1, 'a refused watcher leaves nothing behind');
});

test('a token older than the log of removals yields a reset, and so does a watcher that fell behind it', async () => {
  const { db, clock } = openOn(createMemoryStore({ limits: { goneLogMax: 2 } }));
  const users = db.collection<Doc>('users');
  await users.put('first', { n: 0 });
  const changes = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  const { resume } = await nextOf(changes);
  for (const key of ['p', 'q', 'r']) await users.put(key, { n: 1 });
  await users.deleteMany(['p', 'q', 'r']);
  clock.advance(1);
  assert.equal(db.replica.purge(0, 10).purged, 3);
  await db.flush();
  assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 1), ['reset']);
  assert.deepEqual(await take(changes, 1), ['reset']);
  await users.put('b', { n: 2 });
  assert.deepEqual(await take(changes, 1), ['put b=2']);
});

test('a purge yields a delete to watchers that had not seen the deletion, and nothing to the others', async () => {
  const { db, clock } = openOn(createMemoryStore());
  const users = db.collection<Doc>('users');
  const present = iteratorOf(users.watch());
  await users.put('a', { n: 1 });
  const { resume } = await nextOf(present);
  await users.delete('a');
  assert.deepEqual(await take(present, 1), ['delete a']);
  clock.advance(1);
  assert.equal(db.replica.purge(0, 10).purged, 1);
  await users.put('b', { n: 2 });
  assert.deepEqual(await take(present, 1), ['put b=2']);
  assert.deepEqual(await take(iteratorOf(users.watch({ resume })), 2), ['delete a', 'put b=2']);
});

test('return, throw, break, an abort and closing the database each end the watcher', async () => {
  const { db } = openOn(createMemoryStore());
  const users = db.collection<Doc>('users');
  const pendingOf = (): [AsyncIterator<Change<Doc>, undefined>, Promise<IteratorResult<Change<Doc>, undefined>>] => {
    const iterator = iteratorOf(users.watch());
    return [iterator, iterator.next()];
  };
  const [returned, first] = pendingOf();
  assert.equal(db.watchers, 1);
  assert.deepEqual(await returned.return!(), { done: true, value: undefined });
  assert.deepEqual(await first, { done: true, value: undefined });
  assert.deepEqual(await returned.next(), { done: true, value: undefined });
  assert.equal(db.watchers, 0);

  const [thrown, second] = pendingOf();
  await assert.rejects(thrown.throw!(new Error('mine')), /mine/);
  assert.equal((await second).done, true);

  const breaking = users.watch();
  const broken = (async () => {
    for await (const _ of breaking) break;
  })();
  await turn();
  await users.put('a', { n: 1 });
  await broken;
  assert.equal(db.watchers, 0);

  const abort = new AbortController();
  const aborted = iteratorOf(users.watch({ signal: abort.signal }));
  const waiting = aborted.next();
  abort.abort(new Error('no more'));
  await assert.rejects(waiting, /no more/);
  assert.equal((await aborted.next()).done, true);
  assert.equal(db.watchers, 0);

  const [last, open] = pendingOf();
  await db.close();
  assert.equal((await open).done, true);
  assert.equal((await last.next()).done, true);
  assert.equal(db.watchers, 0);
});

test('several pending calls of next are answered in order', async () => {
  const { db } = openOn(createMemoryStore());
  const users = db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  const five = Promise.all(Array.from({ length: 5 }, () => nextOf(changes)));
  await users.putMany([1, 2, 3].map((n) => [`k${n}`, { n }] as const));
  await users.putMany([4, 5].map((n) => [`k${n}`, { n }] as const));
  assert.deepEqual((await five).map(textOf), ['put k1=1', 'put k2=2', 'put k3=3', 'put k4=4', 'put k5=5']);
});

test('a slow consumer gets the newest state of each document that it missed', async () => {
  const { db } = openOn(createMemoryStore());
  const users = db.collection<Doc>('users');
  const changes = iteratorOf(users.watch());
  await users.put('first', { n: 0 });
  assert.deepEqual(await take(changes, 1), ['put first=0']);
  for (let n = 0; n < 1000; n++) void users.put(`k${n % 300}`, { n });
  await db.flush();
  const last = new Map<string, number>();
  for (let i = 0; i < 300; i++) {
    const change = await nextOf(changes);
    if (change.kind === 'put') last.set(change.key, change.value.n);
  }
  assert.equal(last.size, 300);
  assert.equal(last.get('k0'), 900);
  assert.equal(last.get('k299'), 899);
});

testOnStores('after a random history, a copy made from what a watcher yields equals the collection', async (disk) => {
  await forEachSeed(12, (seed) => followHistory(seed, disk));
});

test('the same holds when flushes fail', async () => {
  await forEachSeed(30, (seed) => followHistory(seed, undefined, createMemoryStore()));
});

const ignore = (): void => {};

async function followHistory(seed: number, disk: TestDisk | undefined, faulty?: MemoryStore): Promise<void> {
  const random = createSeededRandom(seed);
  const limits = {
    ...LIMITS,
    watchBufferMax: random.pick([1, 2, 7, 100]),
    watchBufferCharactersMax: random.pick([1, 20, LIMITS.watchBufferCharactersMax]),
  };
  const options = faulty === undefined ? { seed, limits } : { seed, limits, store: faulty };
  await using opened = await openTestDatabase(disk, options);
  const { db, clock } = opened;
  const name = `c${seed}`;
  const docs = db.collection<Doc>(name);
  const busy = db.collection<Doc>('busy');
  const copy = new Map<string, number>();
  let resume: string | undefined;
  let changes = iteratorOf(docs.watch());
  const keys = Array.from({ length: 8 }, (_, i) => `k${i}`);
  let remoteSeq = 0;
  const follow = async (limit: number): Promise<void> => {
    for (let i = 0; i < limit; i++) {
      const result = await Promise.race([changes.next(), quiet(db)]);
      if (result === undefined) {
        await changes.return?.();
        changes = iteratorOf(docs.watch(resume === undefined ? {} : { resume }));
        return;
      }
      const change = result.value!;
      resume = change.resume;
      if (change.kind === 'put') copy.set(change.key, change.value.n);
      else if (change.kind === 'delete') copy.delete(change.key);
      else {
        copy.clear();
        for await (const [key, { n }] of docs.entries()) copy.set(key, n);
      }
    }
  };
  // A first event, so that there is a token from the start.
  await docs.put('begin', { n: -1 });
  await follow(1);
  for (let step = 0; step < 120; step++) {
    const key = random.pick(keys);
    const what = random.integer(0, 9);
    if (what <= 2) docs.put(key, { n: step }).catch(ignore);
    else if (what === 3) docs.delete(key).catch(ignore);
    else if (what === 4) await docs.put(key, { n: step }).catch(ignore);
    else if (what === 5) {
      db.commitPending();
      applyRemote(db, name, key, random.chance(0.3) ? null : `{"n":${step}}`, ++remoteSeq);
    } else if (what === 6) busy.putMany(Array.from({ length: 150 }, (_, n) => [`b${n}`, { n }] as const)).catch(ignore);
    else if (what === 7) {
      db.commitPending();
      clock.advance(10);
      db.replica.purge(0, 100);
    } else if (what === 8) await follow(random.integer(1, 3));
    else if (random.chance(0.2)) faulty?.failFlushes(1);
    else await turn();
  }
  faulty?.failFlushes(0);
  await db.flush();
  await follow(1000);
  const actual = new Map((await collect(docs.entries())).map(([key, { n }]) => [key, n]));
  assert.deepEqual(new Map([...copy].sort()), new Map([...actual].sort()));
  await changes.return?.();
}

async function quiet(db: LocalDatabase): Promise<undefined> {
  await db.flush().catch(ignore);
  // One turn for each page of rows of the other collection, which are read and skipped.
  for (let i = 0; i < 16 + 400 / db.limits.watchBufferMax; i++) await turn();
  return undefined;
}
