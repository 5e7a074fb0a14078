/**
 * Goal: the compiler only accepts operators that fit a field, in filters and fluent queries.
 * Method: this file must compile, and every line after a `@ts-expect-error` must not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filter } from '../schema/index.ts';
import { openTestDatabase } from '../test-database.ts';

interface User {
  name: string;
  age: number;
  tags: string[];
  items: { id: string; price: number }[];
}

test('filters accept operators for texts and arrays only on such fields', () => {
  const filters: Filter<User>[] = [
    { name: { $startsWith: 'A', $regex: /^A/, $text: 'anna' } },
    { tags: { $contains: 'gold', $size: 2, $all: ['gold', 'new'] } },
    { 'tags[]': 'gold' },
    { 'items[].price': { $gte: 5 } },
    { items: { $elemMatch: { price: { $gt: 5 }, id: 'x' } } },
    { tags: { $elemMatch: { $startsWith: 'g' } } },
    { $text: { on: ['name'], words: 'anna' } },
  ];
  // @ts-expect-error tags are texts
  filters.push({ tags: { $contains: 5 } });
  // @ts-expect-error a price is a number
  filters.push({ 'items[].price': 'x' });
  // @ts-expect-error there is no such member
  filters.push({ 'items[].prise': 5 });
  // @ts-expect-error a number holds nothing
  filters.push({ age: { $contains: 5 } });
  // @ts-expect-error a text has no items to count
  filters.push({ name: { $size: 5 } });
  // @ts-expect-error a number has no beginning
  filters.push({ age: { $startsWith: '5' } });
  assert.equal(filters.length, 13);
});

test('a fluent query knows the type of each path', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection<User>('users');
  const good = users
    .where('age')
    .gte(18)
    .where('tags')
    .contains('gold')
    .where('name')
    .startsWith('A')
    .sort('-age', 'name');
  assert.deepEqual(await good.toArray(), []);
  // @ts-expect-error an age is a number
  users.where('age').gte('18');
  // @ts-expect-error there is no such field
  users.where('agee');
  // @ts-expect-error there is no such field
  users.query().sort('-agee');
});

test('indexes, aggregates and increments accept only paths that exist', async () => {
  await using opened = await openTestDatabase();
  const users = opened.db.collection<User>('users');
  await users.put('a', { name: 'A', age: 1, tags: [], items: [{ id: 'x', price: 2 }] });
  for (const index of ['age', 'tags[]', ['name', 'age'], { on: 'items[].price' }] as const)
    await users.ensureIndex(index);
  assert.deepEqual((await users.groupBy('age', { spent: { sum: 'items.0.price' } }))[0]?.values, { spent: 2 });
  assert.equal(await users.increment('a', 'age'), 2);
  assert.equal(await users.increment('a', 'items.0.price'), 3);
  // @ts-expect-error there is no such field
  await users.ensureIndex({ on: ['agee'] });
  // @ts-expect-error there is no such field
  await users.groupBy('age', { spent: { sum: 'spendings' } });
  // @ts-expect-error a name is no number
  await assert.rejects(users.increment('a', 'name'));
  await opened.db.collection('any').ensureIndex('whatever');
});
