/**
 * Goal: with indexes every query is answered as the memory store answers it, whatever is written and whatever rots in them.
 * Method: random documents, indexes, queries and changes on both stores; directed cases of crashes, damage and freed space.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../core/clock/index.ts';
import { type CollectionName, type DocumentKey, parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { type JsonValue, parseIndex, parseQuery } from '../../core/query/index.ts';
import { documentSamples, filterSamples, indexSamples, pageSamples } from '../../core/query/test-query-samples.ts';
import { createManualClock, createSeededRandom, sampleDocument } from '../../testing/index.ts';
import { createMemoryStore } from '../memory/index.ts';
import type { Store, StoreBatch, StoredDocument } from '../store.ts';
import { openInFolder, withFolder } from './test-folder.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const C = parseCollectionName('c');
const AGE = parseIndex('age');

function documentOf(collection: CollectionName, key: string, pos: number, value: JsonValue): StoredDocument {
  return sampleDocument({ collection, key, pos, versions: [{ seq: pos, value: JSON.stringify(value) }] });
}

function fill(store: Store, count: number): void {
  const documents = Array.from({ length: count }, (_, i) =>
    documentOf(C, `k${String(i).padStart(5, '0')}`, i + 1, { age: i % 100, name: `name ${i}` }),
  );
  for (let i = 0; i < count; i += 500) store.commit({ documents: documents.slice(i, i + 500) });
}

function finish(store: Store): void {
  while (store.workOnIndexes());
}

function keys(store: Store, filter: object): string[] {
  return store.find(C, parseQuery(filter, {})).map(({ key }) => key);
}

test('with indexes, SQLite answers as the memory store does, before and after changes', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    let round = 0;
    let pos = 0;
    let byIndex = 0;
    fc.assert(
      fc.property(
        fc.array(documentSamples, { minLength: 3, maxLength: 20, size: 'max' }),
        fc.array(fc.tuple(fc.nat({ max: 19 }), fc.option(documentSamples)), { maxLength: 10 }),
        fc.uniqueArray(indexSamples, {
          minLength: 1,
          maxLength: 4,
          size: 'max',
          selector: (spec) => JSON.stringify(spec),
        }),
        fc.array(fc.tuple(filterSamples, pageSamples), { minLength: 5, maxLength: 5 }),
        (values, changes, specs, queries) => {
          const collection = parseCollectionName(`c${round++}`);
          const naive = createMemoryStore();
          const write = (key: string, value: JsonValue | null): void => {
            pos++;
            const document =
              value === null
                ? sampleDocument({ collection, key, pos, versions: [{ seq: pos, value: null }], deadAt: 1 })
                : documentOf(collection, key, pos, value);
            for (const each of [store, naive]) each.commit({ documents: [document] });
          };
          for (const [i, value] of values.entries()) write(`k${i}`, value);
          for (const spec of specs) store.addIndex(collection, parseIndex(spec));
          finish(store);
          const all = values.map((value, i) => ({ key: `k${i}`, value }));
          const compare = (): void => {
            for (const [filter, page] of queries) {
              const query = page(parseQuery(filter), all);
              assert.deepEqual(store.find(collection, query), naive.find(collection, query), JSON.stringify(filter));
              assert.equal(store.count(collection, query), naive.count(collection, query));
              if (store.explain(collection, query).index !== null) byIndex++;
            }
          };
          compare();
          for (const [i, value] of changes) write(`k${i}`, value ?? null);
          compare();
          for (const { definition } of store.indexes(collection)) store.removeIndex(collection, definition.name);
        },
      ),
      { numRuns: 120 * SCALE },
    );
    finish(store);
    assert.ok(byIndex > 150, `only ${byIndex} queries were answered by an index`);
    await store.close();
  }));

test('queries answered in parts give what the memory store gives, with indexes and without', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    let round = 0;
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(documentSamples, { minLength: 6, maxLength: 12, size: 'max' }),
        fc.uniqueArray(indexSamples, { maxLength: 2, selector: (spec) => JSON.stringify(spec) }),
        fc.array(fc.tuple(filterSamples, pageSamples, fc.boolean()), { minLength: 5, maxLength: 5 }),
        (values, specs, queries) => {
          const collection = parseCollectionName(`parts${round++}`);
          const naive = createMemoryStore();
          // Several times as many documents as one statement looks at; equal values have different keys.
          const all = Array.from({ length: 200 }, (_, i) => ({
            key: `k${String((i * 7919) % 1000).padStart(3, '0')}`,
            value: values[i % values.length]!,
          }));
          const documents = all.map(({ key, value }, i) => documentOf(collection, key, round * 1000 + i, value));
          for (const each of [store, naive]) each.commit({ documents });
          for (const spec of specs) store.addIndex(collection, parseIndex(spec));
          finish(store);
          for (const [filter, page, isLong] of queries) {
            const never = Array.from({ length: 70 }, (_, i) => ({ c: { $startsWith: `never ${i}` } }));
            const query = page(parseQuery(isLong ? { $or: [filter, ...never] } : filter), all);
            const expected = naive.find(collection, query);
            assert.deepEqual(store.find(collection, query), expected, JSON.stringify(filter));
            assert.equal(store.count(collection, query), naive.count(collection, query));
            found += expected.length;
          }
          for (const { definition } of store.indexes(collection)) store.removeIndex(collection, definition.name);
        },
      ),
      { numRuns: 40 * SCALE },
    );
    finish(store);
    assert.ok(found > 1000, `only ${found} documents were found`);
    await store.close();
  }));

/** A clock on which everything that is measured takes 20 ms. */
function slowClock(): Clock {
  let ms = 0;
  const monotonic = (): number => {
    ms += 20;
    return ms;
  };
  return { ...createManualClock(), monotonic };
}

test('an index that was unfinished when the process ended is finished by the next one', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { clock: slowClock() });
    fill(store, 1200);
    store.addIndex(C, AGE);
    for (let step = 0; step < 80; step++) store.workOnIndexes();
    const [half] = store.indexes(C);
    assert.ok(half!.progress < 1 && !half!.isReady);
    await store.close();
    const next = await openInFolder(folder, { clock: slowClock() });
    assert.deepEqual(next.indexes(C)[0]!.progress, half!.progress);
    assert.equal(next.explain(C, parseQuery({ age: 5 })).index, null);
    let steps = 0;
    while (next.workOnIndexes()) steps++;
    assert.ok(steps < 120, `${steps} steps: it began anew`);
    const plan = next.explain(C, parseQuery({ age: 5 }));
    assert.deepEqual([plan.index, plan.estimatedRows, plan.filtered], ['age', 12, false]);
    assert.equal(keys(next, { age: 5 }).length, 12);
    await next.close();
  }));

test('an index is right after documents changed, commits failed and the store was reopened during its build', () =>
  withFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 200 }), async (seed, count) => {
        const random = createSeededRandom(seed);
        const below = (limit: number): number => Math.floor(random.next() * limit);
        const path = join(folder, `${seed}-${count}.db`);
        const open = () => openInFolder(folder, { path, clock: slowClock() });
        let store = await open();
        const naive = createMemoryStore();
        const both = (batch: StoreBatch): void => {
          for (const each of [store, naive]) each.commit(batch);
        };
        const keyOf = (i: number): DocumentKey => parseDocumentKey(`k${String(i).padStart(3, '0')}`);
        let pos = 0;
        const write = (i: number) => documentOf(C, keyOf(i), ++pos, { age: below(100), name: `name ${pos}` });
        both({ documents: Array.from({ length: count }, (_, i) => write(i)) });
        store.addIndex(C, AGE);
        store.addIndex(C, parseIndex('name'));
        while (store.workOnIndexes()) {
          const i = below(count + 20);
          const kind = below(10);
          const shape = below(20);
          if (shape === 0) store.removeIndex(C, 'name');
          else if (shape === 1) store.addIndex(C, parseIndex('name'));
          else if (kind < 5) both({ documents: [write(i)] });
          else if (kind < 7 && naive.get(C, keyOf(i)) !== undefined)
            both({ removed: [{ collection: C, key: keyOf(i), pos: ++pos, why: 'purged', deadSince: null }] });
          else if (kind < 8) assert.throws(() => store.commit({ documents: [write(i), null as never] }), TypeError);
          else if (below(8) === 0) {
            await store.close();
            store = await open();
          }
        }
        for await (const damage of store.checkIntegrity()) assert.fail(JSON.stringify(damage));
        for (let age = 0; age < 100; age++) {
          const query = parseQuery({ age });
          assert.equal(store.explain(C, query).index, 'age');
          assert.deepEqual(store.find(C, query), naive.find(C, query));
        }
        await store.close();
      }),
      { numRuns: 6 * SCALE },
    );
  }));

test('an index falls behind while its collection is filled, and holds every document once it is built', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    const naive = createMemoryStore();
    const NAME = parseIndex({ on: 'name', unique: true });
    for (const index of [AGE, NAME]) store.addIndex(C, index);
    finish(store);
    const isReady = (): boolean[] => store.indexes(C).map((index) => index.isReady);
    for (const each of [store, naive]) fill(each, 1000);
    assert.deepEqual(isReady(), [false, true], 'the unique one does not fall behind');
    const raw = new DatabaseSync(join(folder, 'test.db'), { readOnly: true });
    assert.equal(raw.prepare('SELECT count(*) AS n FROM idx_entry').get()!.n, 1000, 'those of the unique one');
    raw.close();
    for (const each of [store, naive]) {
      each.commit({ documents: [documentOf(C, 'k00001', 1001, { age: 7, name: 'other' })] });
      each.commit({
        removed: [{ collection: C, key: parseDocumentKey('k00002'), pos: 1002, why: 'purged', deadSince: null }],
      });
    }
    finish(store);
    const documents = Array.from({ length: 500 }, (_, i) =>
      documentOf(C, `m${i}`, 2000 + i, { age: i % 100, name: `m${i}` }),
    );
    // Most of them deletions, which building would have to pass, too.
    const row = {
      name: C,
      state: 'wanted',
      documents: 10,
      fingerprint: { count: 1024, lanes: [1, 2, 3, 4] },
      resolver: '',
    } as const;
    for (const each of [store, naive]) {
      each.commit({ collections: [row] });
      each.commit({ documents });
    }
    assert.deepEqual(isReady(), [true, true], 'a collection of some size keeps its indexes');
    for (let age = 0; age < 100; age++) {
      const query = parseQuery({ age });
      assert.equal(store.explain(C, query).index, 'age');
      assert.deepEqual(store.find(C, query), naive.find(C, query));
    }
    for await (const damage of store.checkIntegrity()) if (damage.kind === 'index') assert.fail(damage.problem);
    await store.close();
  }));

test('steps are short on a slow machine, and the space of a removed index is freed', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder, { clock: slowClock() });
    fill(store, 6000);
    store.addIndex(C, AGE);
    let steps = 0;
    while (store.workOnIndexes()) steps++;
    assert.ok(steps >= 300, `${steps} steps`);
    const before = store.statistics().freePages;
    store.removeIndex(C, 'age');
    steps = 0;
    while (store.workOnIndexes()) steps++;
    assert.ok(steps >= 3, `${steps} steps`);
    assert.ok(store.statistics().freePages > before + 20);
    await store.close();
  }));

test('the newest of many matching documents are read from the index without a sort', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store, 3000);
    store.addIndex(C, AGE);
    store.addIndex(C, parseIndex('name'));
    finish(store);
    const query = parseQuery({ age: { $gte: 10 } }, { sort: { age: -1 }, limit: 3 });
    assert.deepEqual(store.explain(C, query), {
      index: 'age',
      range: 'from [10] to below [(end of numbers)]',
      ranges: 1,
      filtered: false,
      sort: 'index',
      estimatedRows: 1000,
    });
    assert.deepEqual(
      store.find(C, query).map(({ key }) => key),
      ['k00099', 'k00199', 'k00299'],
    );
    // Of two indexes, the one with fewer entries to read is chosen.
    assert.equal(store.explain(C, parseQuery({ age: 5, name: 'name 5' })).index, 'name');
    await store.close();
  }));

const ROT: readonly (readonly [name: string, sql: string])[] = [
  ['keys were changed', "UPDATE idx_entry SET k = x'40C014000000000000' WHERE key = 'k00007'"],
  ['entries lead to another row', "UPDATE idx_entry SET doc = doc + 1 WHERE key IN ('k00005', 'k00105')"],
  ['entries lead to no row', "UPDATE idx_entry SET doc = 99999 WHERE key = 'k00005'"],
  ['sums were changed', "UPDATE idx_entry SET sum = sum + 1 WHERE key = 'k00205'"],
  ['a newest entry is missing', "DELETE FROM idx_entry WHERE key = 'k00205'"],
  ['all are missing', 'DELETE FROM idx_entry'],
];

for (const [name, sql] of ROT) {
  test(`answers stay right when an index rotted: ${name}`, () =>
    withFolder(async (folder) => {
      const store = await openInFolder(folder);
      fill(store, 300);
      store.addIndex(C, AGE);
      finish(store);
      await store.close();
      const raw = new DatabaseSync(join(folder, 'test.db'));
      raw.exec(sql);
      raw.close();
      const next = await openInFolder(folder);
      const expected = ['k00005', 'k00105', 'k00205'];
      assert.deepEqual(keys(next, { age: 5 }), expected);
      assert.deepEqual(keys(next, { age: 5, name: { $gte: '' } }), expected);
      assert.equal(next.explain(C, parseQuery({ age: 5 })).index, null);
      finish(next);
      assert.equal(next.explain(C, parseQuery({ age: 5 })).index, 'age');
      assert.deepEqual(keys(next, { age: 5 }), expected);
      for await (const damage of next.checkIntegrity()) assert.fail(JSON.stringify(damage));
      await next.close();
    }));
}

test('a check finds a missing old entry, and the index is rebuilt', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store, 2500);
    store.addIndex(C, AGE);
    finish(store);
    for await (const damage of store.checkIntegrity()) assert.fail(JSON.stringify(damage));
    await store.close();
    const raw = new DatabaseSync(join(folder, 'test.db'));
    raw.exec("DELETE FROM idx_entry WHERE key = 'k00005'");
    raw.close();
    const next = await openInFolder(folder);
    const found: string[] = [];
    for await (const damage of next.checkIntegrity()) found.push(`${damage.kind}: ${damage.problem}`);
    assert.deepEqual(found, ['index: the index "age" does not hold 1 documents as they are']);
    finish(next);
    assert.equal(next.count(C, parseQuery({ age: 5 })), 25);
    for await (const damage of next.checkIntegrity()) assert.fail(JSON.stringify(damage));
    await next.close();
  }));

test('a database with a rotten index can be backed up, and the copy rebuilds the index', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store, 2500);
    store.addIndex(C, AGE);
    finish(store);
    await store.close();
    const raw = new DatabaseSync(join(folder, 'test.db'));
    raw.exec("DELETE FROM idx_entry WHERE key = 'k00005'");
    raw.close();
    const next = await openInFolder(folder);
    await next.backup(join(folder, 'copy.db'));
    await next.close();
    const copy = await openInFolder(folder, { path: join(folder, 'copy.db') });
    assert.equal(copy.indexes(C)[0]!.isReady, false);
    finish(copy);
    assert.equal(copy.count(C, parseQuery({ age: 5 })), 25);
    await copy.close();
  }));

test('a damaged document is not entered into an index, and the error names it', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store, 2000);
    await store.close();
    const raw = new DatabaseSync(join(folder, 'test.db'));
    raw.exec("UPDATE doc SET value = replace(value, 'name', 'nome') WHERE key = 'k00003'");
    raw.close();
    const next = await openInFolder(folder);
    next.addIndex(C, AGE);
    assert.throws(() => finish(next), /k00003/);
    next.commit({
      removed: [{ collection: C, key: parseDocumentKey('k00003'), pos: 9000, why: 'damaged', deadSince: null }],
    });
    finish(next);
    assert.equal(next.count(C, parseQuery({ age: 3 })), 19);
    await next.close();
  }));
