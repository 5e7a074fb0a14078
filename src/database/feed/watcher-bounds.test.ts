/** Goal: the number of watchers and what each of them holds are bounded. Method: small bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { parseCollectionName } from '../../core/ids/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import type { StandardSchema } from '../schema/index.ts';
import { applyRemote, iteratorOf, openOn, openTestDatabase } from '../test-database.ts';
import { readChangePage } from './change-page.ts';

test('a page holds only as many documents as fit the bound in characters, and no document is missed', async () => {
  const { db } = openOn(createMemoryStore());
  const text = 'x'.repeat(1000);
  await db.collection('notes').putMany(Array.from({ length: 50 }, (_, n) => [`k${n}`, { text }] as const));
  await db.flush();
  const [pages, held]: [number[], string[]] = [[], []];
  const size = { rowsMax: 20, charactersMax: 3500 };
  for (let from = { pos: 0, seen: 0, state: 0 }; held.length < 50; ) {
    const page = readChangePage(db.replica, parseCollectionName('notes'), from, db.replica.pos, size);
    pages.push(page.changes.length);
    held.push(...page.changes.map(({ key }) => key));
    from = page.at;
  }
  assert.deepEqual(pages, [...new Array(16).fill(3), 2]);
  assert.equal(new Set(held).size, 50);
  const alone = readChangePage(
    db.replica,
    parseCollectionName('notes'),
    { pos: 0, seen: 0, state: 0 },
    db.replica.pos,
    { rowsMax: 20, charactersMax: 1 },
  );
  assert.equal(alone.changes.length, 1, 'a larger document gets a page of its own');
});

test('a document on which the schema throws is told as one that does not fit, and the watcher goes on', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const validate = (value: unknown): { readonly value: object } => {
    if ((value as { n: number }).n === 1) throw new Error('no schema today');
    return { value: value as object };
  };
  const schema: StandardSchema<object, object> = { '~standard': { version: 1, vendor: 'test', validate } };
  const changes = iteratorOf(db.collection('users', { schema }).watch());
  const next = changes.next();
  applyRemote(db, 'users', 'a', '{"n":1}');
  await db.flush();
  const told = (await next).value;
  assert.equal(told?.kind === 'invalid' && told.issues[0]?.message, 'the schema failed: no schema today');
  applyRemote(db, 'users', 'b', '{"n":2}');
  await db.flush();
  assert.equal((await changes.next()).value?.kind, 'put');
});

test('at most watchersMax watchers run, and a new one can start when one ends', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, watchersMax: 2 } });
  const users = opened.db.collection('users');
  const [a, b, c] = [iteratorOf(users.watch()), iteratorOf(users.watch()), iteratorOf(users.watch())];
  const pending = [a.next(), b.next()];
  await assert.rejects(c.next(), { code: 'PERSISTENCE_ERROR', reason: 'WATCHERS_FULL' });
  await a.return?.();
  const d = iteratorOf(users.watch());
  const next = d.next();
  await users.put('k', { n: 1 });
  assert.equal((await next).value?.kind, 'put');
  assert.equal((await pending[0])!.done, true);
});
