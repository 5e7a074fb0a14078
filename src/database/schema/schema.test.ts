/**
 * Goal: a schema validates what this node writes, and invalid documents of other nodes neither break a read nor get lost.
 * Method: collections with validators of three libraries and an asynchronous one, and remote documents applied as a sync
 * session would.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { LIMITS } from '../../core/config/index.ts';
import type { Change } from '../api.ts';
import { applyRemote, collect, openTestDatabase, turn } from '../test-database.ts';
import type { StandardSchema } from './index.ts';

interface User {
  name: string;
  age: number;
  address: { city: string };
}

const VALIDATORS: Readonly<Record<string, StandardSchema<User, User>>> = {
  zod: z.object({ name: z.string(), age: z.number().int(), address: z.object({ city: z.string() }) }),
  valibot: v.object({
    name: v.string(),
    age: v.pipe(v.number(), v.integer()),
    address: v.object({ city: v.string() }),
  }),
  arktype: type({ name: 'string', age: 'number.integer', address: { city: 'string' } }),
};

const alice: User = { name: 'Alice', age: 31, address: { city: 'Ulm' } };
const wrong = { name: 'Bob', age: 17.5, address: { city: 3 } } as unknown as User;

for (const [library, schema] of Object.entries(VALIDATORS)) {
  test(`${library}: an invalid write fails with the path of each issue, and writes nothing`, async () => {
    await using opened = await openTestDatabase();
    const users = opened.db.collection('users', { schema });
    await users.put('a', alice);
    assert.deepEqual(await users.get('a'), alice);
    for (const write of [
      () => users.put('b', wrong),
      () => users.add(wrong),
      () =>
        users.putMany([
          ['c', alice],
          ['b', wrong],
        ]),
      () => users.update('a', () => wrong),
      () => users.update('a', { age: 1.5, address: { city: 3 as unknown as string } }),
    ]) {
      await assert.rejects(write, (error: Error & { reason: string; details: Record<string, unknown> }) => {
        assert.equal(error.reason, 'DOCUMENT_INVALID');
        assert.equal(error.details.collection, 'users');
        const paths = (error.details.issues as { path: string }[]).map(({ path }) => path).sort();
        assert.deepEqual(paths, ['address.city', 'age']);
        assert.match(error.message, /address\.city/);
        return true;
      });
    }
    assert.deepEqual(await collect(users.keys()), ['a']);
    assert.deepEqual(await users.get('a'), alice);
  });
}

test('an invalid document of another node is kept, listed by invalid, and left out of queries', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users', { schema: VALIDATORS.zod! });
  await users.putMany(['a', 'c', 'e'].map((key) => [key, { ...alice, name: key }] as const));
  applyRemote(opened.db, 'users', 'b', JSON.stringify(wrong), 1);
  applyRemote(opened.db, 'users', 'd', '{"name":"d"}', 2);
  const names = ['a', 'c', 'e'];
  assert.deepEqual(
    (await users.find()).map(({ name }) => name),
    names,
  );
  assert.deepEqual(
    (await users.find({}, { limit: 2 })).map(({ name }) => name),
    ['a', 'c'],
    'the limit is filled',
  );
  assert.deepEqual(
    (await users.find({}, { limit: 3 })).map(({ name }) => name),
    names,
  );
  assert.deepEqual(
    (await collect(users.entries())).map(([key]) => key),
    names,
  );
  assert.deepEqual(
    (await users.findEntries({}, { includeInvalid: true })).map(([key]) => key),
    ['a', 'b', 'c', 'd', 'e'],
  );
  assert.deepEqual(await collect(users.keys()), ['a', 'b', 'c', 'd', 'e']);
  assert.equal(await users.count(), 5, 'count includes invalid documents');
  for (const read of [() => users.get('d'), () => users.require('d'), () => users.getVersioned('d')])
    await assert.rejects(read, { reason: 'DOCUMENT_INVALID' });
  assert.deepEqual(await users.get('d', { includeInvalid: true }), { name: 'd' });
  const listed = await collect(users.invalid());
  assert.deepEqual(
    listed.map(({ key, value, issues }) => [key, value, issues.map(({ path }) => path)]),
    [
      ['b', wrong, ['age', 'address.city']],
      ['d', { name: 'd' }, ['age', 'address']],
    ],
  );
  await users.update('b', { age: 17, address: { city: 'Bonn' } });
  await users.put('d', alice);
  assert.deepEqual(await collect(users.invalid()), []);
});

test('a schema that throws on a document of another node refuses that document alone', async () => {
  await using opened = await openTestDatabase();
  const sync = z.looseObject({ parts: z.any() }).refine(({ parts }) => parts.first !== '');
  const later: typeof sync = {
    '~standard': { ...sync['~standard'], validate: async (value: unknown) => sync['~standard'].validate(value) },
  } as never;
  for (const [name, schema] of Object.entries({ sync, later })) {
    const people = opened.db.collection(name, { schema });
    await people.put('a', { parts: { first: 'Ada' } });
    applyRemote(opened.db, name, 'b', '{"parts":null}', 1);
    assert.equal((await people.find()).length, 1);
    assert.deepEqual(
      (await collect(people.entries())).map(([key]) => key),
      ['a'],
    );
    await assert.rejects(people.get('b'), { reason: 'DOCUMENT_INVALID' });
    const [invalid] = await collect(people.invalid());
    assert.match(invalid?.issues[0]?.message ?? '', /^the schema failed: Cannot read properties of null/);
    await assert.rejects(people.put('c', { parts: null }), TypeError);
  }
});

test('a handle without a schema reads every stored document, but its writes are validated', async () => {
  await using opened = await openTestDatabase();
  opened.db.collection('users', { schema: VALIDATORS.zod! });
  const plain = opened.db.collection('users');
  applyRemote(opened.db, 'users', 'b', JSON.stringify(wrong));
  assert.deepEqual(await plain.get('b'), wrong);
  assert.equal((await plain.find()).length, 1);
  await assert.rejects(plain.put('c', { name: 'c' }), { reason: 'DOCUMENT_INVALID' });
  await plain.put('c', { ...alice });
  assert.deepEqual(await plain.get('c'), alice);
});

test('watch yields an invalid document as a change of its own kind', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users', { schema: VALIDATORS.zod! });
  const changes = users.watch()[Symbol.asyncIterator]();
  const next = async (): Promise<Change<User>> => (await changes.next()).value as Change<User>;
  const first = next();
  await turn();
  await users.put('a', alice);
  assert.deepEqual((await first).kind, 'put');
  applyRemote(opened.db, 'users', 'b', '{"name":"b"}');
  await opened.db.flush();
  const second = await next();
  assert.equal(second.kind, 'invalid');
  assert.deepEqual(second.kind === 'invalid' && second.issues.map(({ path }) => path), ['age', 'address']);
  await changes.return?.();
});

test('defaults and trimmed values are stored, so filters see them', async () => {
  await using opened = await openTestDatabase();
  const schema = z.object({ mail: z.string().trim().toLowerCase(), role: z.string().default('guest') });
  const users = opened.db.collection('users', { schema });
  await users.put('a', { mail: ' A@B.C ' });
  assert.deepEqual(await users.get('a'), { mail: 'a@b.c', role: 'guest' });
  assert.equal(await users.count({ role: 'guest', mail: 'a@b.c' }), 1);
  assert.deepEqual(await opened.db.collection('users').get('a'), { mail: 'a@b.c', role: 'guest' });
});

test('a value that a schema transforms to another type is stored as written, and transformed at each read', async () => {
  await using opened = await openTestDatabase();
  const schema = z.object({
    born: z.iso.datetime().transform((text) => new Date(text)),
    n: z.string().transform(Number),
  });
  const people = opened.db.collection('people', { schema });
  await people.put('a', { born: '2001-02-03T04:05:06.000Z', n: '7' });
  for (let round = 0; round < 2; round++) {
    const { born, n } = await people.require('a');
    assert.equal(born.getUTCFullYear(), 2001);
    assert.equal(n, 7);
  }
  assert.deepEqual(await opened.db.collection('people').get('a'), { born: '2001-02-03T04:05:06.000Z', n: '7' });
  const changed = await people.update('a', { n: '8' });
  assert.equal(changed.n, 8);
});

test('members that the schema does not know are kept by reads and writes', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection('users', {
    schema: z.object({ name: z.string().trim(), tags: z.array(z.object({ id: z.string() })) }),
  });
  const stored = { name: 'a', tags: [{ id: 'x', color: 'red' }], later: { deep: [1] } };
  applyRemote(opened.db, 'users', 'a', JSON.stringify(stored));
  const read = await users.require('a');
  assert.deepEqual(read, stored);
  await users.put('a', { ...read, name: ' b ' });
  assert.deepEqual(await opened.db.collection('users').get('a'), { ...stored, name: 'b' });
  await users.update('a', { name: 'c' });
  await users.update('a', (user) => ({ ...user, name: `${user.name}d` }));
  assert.deepEqual(await opened.db.collection('users').get('a'), { ...stored, name: 'cd' });
});

test('an asynchronous validator validates writes and reads', async () => {
  await using opened = await openTestDatabase();
  let asked = 0;
  const schema: StandardSchema<{ n: number }, { n: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        asked++;
        await turn();
        const { n } = value as { n: number };
        return n >= 0 ? { value: { n } } : { issues: [{ message: 'is below 0', path: [{ key: 'n' }] }] };
      },
    },
  };
  const numbers = opened.db.collection('numbers', { schema });
  await numbers.putMany([
    ['a', { n: 1 }],
    ['b', { n: 2 }],
  ]);
  await assert.rejects(numbers.put('c', { n: -1 }), /n: is below 0/);
  applyRemote(opened.db, 'numbers', 'd', '{"n":-4}');
  assert.deepEqual(await numbers.find({}, { sort: { n: -1 } }), [{ n: 2 }, { n: 1 }]);
  assert.equal((await collect(numbers.invalid())).length, 1);
  await Promise.all(Array.from({ length: 200 }, () => numbers.update('a', ({ n }) => ({ n: n + 1 }))));
  assert.deepEqual(await numbers.get('a'), { n: 201 }, 'more concurrent updates than updateAttemptsMax');
  const before = asked;
  await numbers.find();
  await numbers.find();
  assert.equal(asked, before, 'a stored document is validated once for each of its states');
});

test('documents are validated again when the bounded cache has dropped their verdicts', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, verdictsMax: 2 } });
  const users = opened.db.collection('users', { schema: VALIDATORS.zod! });
  for (let i = 0; i < 10; i++) applyRemote(opened.db, 'users', `k${i}`, i % 2 ? '{}' : JSON.stringify(alice), i + 1);
  for (let round = 0; round < 2; round++) assert.equal((await users.find()).length, 5);
  assert.equal((await collect(users.invalid())).length, 5);
});

test('an invalid schema, another version and another resolver are refused', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const define = (options: object): void => void db.collection('users', options as never);
  assert.throws(() => define({ schema: { parse: () => 1 } }), { reason: 'OPTION_INVALID' });
  assert.throws(() => define({ schema: { '~standard': { version: 2, validate: () => 1 } } }), {
    reason: 'OPTION_INVALID',
  });
  assert.throws(() => define({ resolver: 'newest' }), { reason: 'OPTION_INVALID' });
  define({ schema: VALIDATORS.zod, resolver: 'merge' });
  define({ schema: VALIDATORS.valibot });
  assert.throws(() => define({ resolver: 'lww' }), /resolver .* was merge/);
  assert.throws(() => define({ migrations: { 1: (d: object) => d } }), /version .* was 0/);
});

test('defining another resolver resolves existing conflicts again', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  applyRemote(db, 'users', 'a', '{"x":1}', 1, 'a'.repeat(32));
  applyRemote(db, 'users', 'a', '{"y":1}', 1, 'b'.repeat(32));
  const users = db.collection('users', { resolver: 'merge' });
  while (db.replica.staleValues.collections().length > 0) await turn();
  assert.deepEqual(await users.get('a'), { x: 1, y: 1 });
});
