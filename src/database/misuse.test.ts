/**
 * Goal: a wrong argument gets one error that names it; nothing takes effect and nothing hangs.
 * Method: a database in memory; values that JavaScript without type checks may pass.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { LIMITS } from '../core/config/index.ts';
import type { CollectionOptions, StandardSchema } from './schema/index.ts';
import { openTestDatabase } from './test-database.ts';

/** A value that the types would not let through. */
const wrong = <T>(value: unknown): T => value as T;

function schemaOf(validate: (value: unknown) => unknown): StandardSchema<object, object> {
  return wrong({ '~standard': { version: 1, vendor: 'test', validate } });
}

test('misspelt and invalid options of a collection are refused by name', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const options = (value: unknown): CollectionOptions => wrong(value);
  assert.throws(
    () => db.collection('a', options({ shema: {} })),
    /collection "a" hold the unknown "shema"; known: schema/,
  );
  for (const value of [null, 5])
    assert.throws(() => db.collection('a', options(value)), /are (null|5); write an object/);
  assert.throws(() => db.collection('a', options({ resolver: 'magic' })), /"magic" of collection "a" does not exist/);
});

test('a validator that returns nothing, throws or rejects fails the write with an error that says so', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const put = (name: string, validate: () => unknown): Promise<void> =>
    db.collection(name, { schema: schemaOf(validate) }).put('k', { a: 1 });
  await assert.rejects(
    put('a', () => undefined),
    /schema of collection "a" answered undefined; its validate must give/,
  );
  await assert.rejects(
    put('b', () => {
      throw new Error('thrown');
    }),
    /^Error: thrown$/,
  );
  await assert.rejects(
    put('c', () => Promise.reject(new Error('rejected'))),
    /^Error: rejected$/,
  );
  assert.deepEqual(db.collections(), []);
});

test('in every kind of write, a signal ends waiting for a validator that never answers', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await db.collection('plain').put('k', { a: 1 });
  const never = db.collection('plain', { schema: schemaOf(() => new Promise(() => {})) });
  const writes: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => never.put('k', { a: 2 }, { signal }),
    (signal) => never.add({ a: 2 }, { signal }),
    (signal) => never.update('k', { a: 2 }, { signal }),
    (signal) => never.putMany([['k', { a: 2 }]], { signal }),
  ];
  for (const write of writes) {
    const controller = new AbortController();
    const writing = write(controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(writing, /^Error: enough$/);
  }
  assert.deepEqual(await db.collection('plain', { version: 0 }).get('k'), { a: 1 });
});

test('a migration that does not return a document makes the document a misfit, and the error says why', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const results: readonly [unknown, RegExp][] = [
    [undefined, /migration 1 returned undefined, not a document/],
    [[], /migration 1 returned an array/],
    [Promise.resolve({}), /migration 1 returned a promise/],
  ];
  for (const [i, [result, message]] of results.entries()) {
    await db.collection(`c${i}`).put('k', { a: 1 });
    const documents = db.collection(`c${i}`, { migrations: { 1: () => wrong(result) } });
    await assert.rejects(documents.get('k'), message);
    assert.deepEqual(await documents.find(), []);
  }
});

test('a document that contains itself is refused with a path of readable length', async () => {
  await using opened = await openTestDatabase();
  const self: Record<string, unknown> = {};
  self.self = self;
  await assert.rejects(opened.db.collection('a').put('k', wrong(self)), ({ message }: Error) => {
    assert.match(message, /"\/self\/self.*…" is nested too deep, or holds itself/);
    return message.length < 200;
  });
});

test('putMany names the document that is refused', async () => {
  await using opened = await openTestDatabase();
  const documents = opened.db.collection('a');
  const fine = [['fine', {}] as const];
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ text: 'x'.repeat(LIMITS.documentBytesMax) }, /^document "odd" has \d+ bytes of JSON; at most \d+ are allowed/],
    [{ text: '\ud800' }, /^document "odd" holds half of a surrogate pair/],
    [{ at: Number.NaN }, /^document "odd"'s field "\/at" is NaN/],
  ];
  for (const [value, message] of refused)
    await assert.rejects(documents.putMany([...fine, ['odd', wrong(value)]]), { message });
});

test('a Map, a Date or a promise is refused as a filter, although it has no members that could fail to fit', async () => {
  await using opened = await openTestDatabase();
  const documents = opened.db.collection('a');
  await documents.put('k', { a: 1 });
  for (const filter of [new Map(), new Date(), Promise.resolve({})])
    await assert.rejects(documents.find(wrong(filter)), /the filter is not an object such as/);
});

test('blobs accept bytes, also from another realm, and refuse texts, numbers and null', async () => {
  await using opened = await openTestDatabase();
  const { blobs } = opened.db;
  const foreign: unknown = runInNewContext('new Uint8Array([1, 2, 3])');
  const ref = await blobs.put(wrong(foreign));
  assert.deepEqual(await blobs.get(ref).bytes(), Uint8Array.of(1, 2, 3));
  for (const source of ['text', null, 5, new ArrayBuffer(3), new Blob(['x'])])
    await assert.rejects(blobs.put(wrong(source)), /source of a blob is a Uint8Array, or an iterable or stream/);
  for (const source of [['text'], [1, 2]]) await assert.rejects(blobs.put(wrong(source)), /a piece of a blob's source/);
  assert.throws(() => blobs.get(wrong(null)), /is no blob/);
  await assert.rejects(blobs.has(wrong({})), /is no blob/);
});

test('a listener that is not a function and an invalid time limit are refused immediately', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  assert.throws(() => db.collection('a').live().subscribe(wrong(5)), /subscribe wants a function/);
  for (const timeoutMs of [Number.NaN, -1])
    await assert.rejects(
      db.transaction(() => assert.fail('it ran'), { timeoutMs }),
      /timeoutMs is (NaN|-1)/,
    );
});

test('errors name what was passed instead of a path, a list, a name or a time', async () => {
  await using opened = await openTestDatabase();
  const docs = opened.db.collection('docs', { history: {} });
  await docs.put('a', { n: 1 });
  const path = {
    name: 'TypeError',
    message: /^a path is a text like "address\.city", not of type (undefined|number)$/,
  };
  await assert.rejects(docs.distinct(wrong(undefined)), path);
  await assert.rejects(docs.increment('a', wrong(undefined)), path);
  await assert.rejects(docs.groupBy(wrong([1])), path);
  await assert.rejects(docs.findFields(wrong([undefined])), path);
  const paths = { name: 'TypeError', message: /^the fields are an array of paths/ };
  await assert.rejects(docs.findFields(wrong(undefined)), paths);
  await assert.rejects(docs.groupBy(wrong({})), paths);
  const pairs = { name: 'TypeError', message: 'putMany takes a list of pairs: [key, document]' };
  for (const documents of [undefined, { b: {} }, [{ key: 'b', value: {} }]])
    await assert.rejects(docs.putMany(wrong(documents)), pairs);
  const keys = { name: 'TypeError', message: /^deleteMany takes a list of keys/ };
  for (const given of [undefined, 'b', { b: true }]) await assert.rejects(docs.deleteMany(wrong(given)), keys);
  assert.throws(() => docs.query().sort(wrong({ age: -1 })), { name: 'TypeError', message: /^sort takes paths/ });
  await assert.rejects(docs.dropIndex(wrong({ on: 'age' })), {
    name: 'TypeError',
    message: /^dropIndex takes the name/,
  });
  const times = { name: 'TypeError', message: 'a time is in milliseconds since 1970, or a Date' };
  for (const time of [undefined, null, 'now']) await assert.rejects(docs.at('a', wrong(time)), times);
});
