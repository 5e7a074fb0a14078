/**
 * Goal: the compiler knows the documents of a collection: the types written and read, and the fields that filters, sorts and
 * paths may name; and its errors name the field. Method: this file must compile, and every line after a `@ts-expect-error`
 * must not; the errors are read from the compiler's output for a program with mistakes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import type { JsonObject } from '../../core/query/index.ts';
import { openTestDatabase } from '../test-database.ts';
import type { Filter, Patch, Path, Sort } from './index.ts';

type Is<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const isTrue = <_ extends true>(): void => {};

interface User {
  name: string;
  age: number;
  role?: 'admin' | 'guest';
  address: { city: string; zip: string | null };
  items: { id: string; price: number }[];
}

test('the types written and read are the input and output types of the validator', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const zod = db.collection('z', {
    schema: z.object({ at: z.string().transform((s) => new Date(s)), n: z.number().default(1) }),
  });
  isTrue<Is<Parameters<typeof zod.put>[1], { at: string; n?: number | undefined }>>();
  isTrue<Is<Awaited<ReturnType<typeof zod.require>>, { at: Date; n: number }>>();
  const valibot = db.collection('v', { schema: v.object({ n: v.optional(v.number(), 1) }) });
  isTrue<Is<Awaited<ReturnType<typeof valibot.require>>, { n: number }>>();
  const ark = db.collection('a', { schema: type({ name: 'string', 'age?': 'number' }) });
  isTrue<Is<Parameters<typeof ark.put>[1], { name: string; age?: number }>>();
  const bare = db.collection<User>('b');
  isTrue<Is<Awaited<ReturnType<typeof bare.require>>, User>>();
  const open = db.collection('o');
  isTrue<Is<Awaited<ReturnType<typeof open.require>>, JsonObject>>();
  await db.transaction(async (tx) => {
    const inside = tx.collection(zod);
    isTrue<Is<Parameters<typeof inside.put>[1], { at: string; n?: number | undefined }>>();
  });
  assert.ok(db.nodeId);
});

test('paths name members and items, up to five steps', () => {
  isTrue<
    Is<
      Path<User>,
      | 'name'
      | 'age'
      | 'role'
      | 'address'
      | 'address.city'
      | 'address.zip'
      | 'items'
      | `items.${number}`
      | `items.${number}.id`
      | `items.${number}.price`
    >
  >();
  interface Tree {
    value: number;
    next?: Tree;
  }
  const deep: Path<Tree> = 'next.next.next.next.value';
  // @ts-expect-error six steps
  const deeper: Path<Tree> = 'next.next.next.next.next.value';
  assert.notEqual(deep, deeper);
  isTrue<Is<Path<JsonObject>, string>>();
  isTrue<Is<Path<{ 'a.b': 1; $c: 2; d: 3 }>, 'd'>>();
});

test('filters know the members of unions, optional members and open types', () => {
  type Event =
    | { kind: 'sale'; total: number; by?: { name: string } | null }
    | { kind: 'note'; text: string; more: JsonObject; tags: readonly string[] };
  const filters: Filter<Event>[] = [
    { kind: 'sale', total: { $gt: 3 }, 'by.name': 'A' },
    { text: 'x', 'more.anything.deep': 5, 'tags.0': 'y', tags: { $contains: 'y' } },
    // @ts-expect-error no such kind
    { kind: 'refund' },
    // @ts-expect-error no member of either
    { sum: 3 },
    // @ts-expect-error items are texts
    { tags: { $contains: 3 } },
  ];
  const counts: Filter<Record<string, number>>[] = [{ anything: 3 }, {}];
  const loose = z.looseObject({ name: z.string() });
  const open: Filter<z.input<typeof loose>>[] = [{ name: 'A', other: { $exists: true } }];
  assert.equal(filters.length + counts.length + open.length, 8);
});

test('filters, sorts and patches are checked against the type of the document', () => {
  const filters: Filter<User>[] = [
    { name: 'A', age: { $gte: 18, $lt: 65 }, role: { $in: ['admin'] }, role2: undefined as never } as Filter<User>,
    {
      'address.city': 'Ulm',
      'items.0.price': { $gt: 3 },
      $or: [{ role: { $exists: false } }, { 'address.zip': null }],
    },
    // @ts-expect-error no such field
    { nam: 'A' },
    // @ts-expect-error no such field further in
    { 'address.town': 'Ulm' },
    // @ts-expect-error a number is no name
    { name: 3 },
    // @ts-expect-error no such role
    { role: 'boss' },
    // @ts-expect-error texts and numbers are not compared
    { age: { $gt: '3' } },
    // @ts-expect-error no such operator
    { age: { $greater: 3 } },
    // @ts-expect-error no such field in a part of it
    { $or: [{ nam: 'A' }] },
  ];
  const sorts: Sort<User>[] = [
    { age: -1, 'address.city': 1 },
    // @ts-expect-error no such field
    { agee: 1 },
    // @ts-expect-error no such direction
    { age: 2 },
  ];
  const patches: Patch<User>[] = [
    { age: 3, address: { city: 'Ulm' }, role: null },
    // @ts-expect-error a name is there always
    { name: null },
    // @ts-expect-error no such field
    { nam: 'A' },
    // @ts-expect-error arrays are replaced as a whole
    { items: [{ id: 'x' }] },
  ];
  const open: Filter<JsonObject> = { anything: { $gt: 1 }, 'a.b.c': [] };
  assert.equal(filters.length + sorts.length + patches.length + Object.keys(open).length, 18);
});

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

test('the errors of the compiler name the field', async () => {
  const cache = join(ROOT, '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'types-'));
  try {
    await writeFile(
      join(folder, 'program.ts'),
      `import type { Collection, Database } from '../../src/index.ts';
interface User { name: string; age: number; address: { city: string } }
declare const db: Database;
declare const users: Collection<User>;
void users.find({ agee: 3 });
void users.find({ 'address.town': 'x' });
void users.find({}, { sort: { nme: 1 } });
void users.put('a', { name: 'A', age: 3, address: { town: 'x' } });
void users.increment('a', 'address.town');
void users.update('a', { nme: 'B' });
void db;
`,
    );
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), files: ['program.ts'], include: [] }),
    );
    const output = await compile(folder);
    const lines = output.split('\n').filter((line) => line.includes('program.ts('));
    const named = [/'agee' .*'age'/, /address\.town/, /'nme' .*'name'/, /'town'/, /address\.town/, /'nme' .*'name'/];
    assert.equal(lines.length, named.length, output);
    for (const [i, pattern] of named.entries()) assert.match(lines[i]!, pattern);
  } finally {
    await rm(folder, { recursive: true });
  }
});

function compile(folder: string): Promise<string> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], (_, stdout) => resolve(stdout));
  });
}
