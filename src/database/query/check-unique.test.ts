// Goal: a unique index keeps this node from giving two documents equal values, and nobody from changing a document that has
// them. Method: the database on both stores; a version of another node is applied directly.
import assert from 'node:assert/strict';
import { isEntglDbError } from '../../core/errors/index.ts';
import { applyRemote, openTestDatabase, testOnStores } from '../test-database.ts';

interface User {
  readonly name: string;
  readonly age?: number;
}

testOnStores('a unique index refuses a second local document with the same values', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users', { indexes: [{ on: 'name', unique: true }] });
  await users.put('a', { name: 'Ann' });
  const isRefused = (error: unknown): boolean => isEntglDbError(error, 'UNIQUE_VIOLATION');
  await assert.rejects(users.put('b', { name: 'Ann' }), isRefused);
  await assert.rejects(
    users.putMany([
      ['c', { name: 'Cem' }],
      ['d', { name: 'Cem' }],
    ]),
    isRefused,
  );
  await users.put('a', { name: 'Ann', age: 3 });
  await users.putMany([
    ['a', { name: 'Eva' }],
    ['b', { name: 'Ann' }],
  ]);
  const first = users.put('x', { name: 'same' });
  await assert.rejects(users.put('y', { name: 'same' }), isRefused);
  await first;
  await assert.rejects(
    opened.db.transaction(async (tx) => {
      await tx.collection<User>('users').put('z', { name: 'same' });
    }),
    isRefused,
  );
  assert.equal(await users.count(), 3);
});

testOnStores('documents that another node made equal under a unique index can be changed', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const users = opened.db.collection<User>('users', { indexes: [{ on: 'name', unique: true }] });
  await users.put('a', { name: 'Ann' });
  applyRemote(opened.db, 'users', 'b', '{"name":"Ann"}', 1);
  await users.update('a', { age: 3 });
  await users.putMany([
    ['a', { name: 'Ann', age: 4 }],
    ['b', { name: 'Ann', age: 5 }],
  ]);
  const isRefused = (error: unknown): boolean => isEntglDbError(error, 'UNIQUE_VIOLATION');
  await assert.rejects(users.put('c', { name: 'Ann' }), isRefused);
  const both = ['c', 'b'].map((key) => [key, { name: 'Ann' }] as const);
  await assert.rejects(users.putMany(both), isRefused);
  await assert.rejects(users.putMany(both.toReversed()), isRefused);
  await users.put('b', { name: 'Bob' });
  await assert.rejects(users.put('b', { name: 'Ann' }), isRefused, 'it no longer keeps the value');
});
