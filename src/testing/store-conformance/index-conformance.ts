import assert from 'node:assert/strict';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { parseIndex, parseQuery } from '../../core/query/index.ts';
import type { Store } from '../../store/index.ts';
import { sampleDocument } from '../stored-documents.ts';
import type { Claim } from './store-under-test.ts';

const C = parseCollectionName('c');
const D = parseCollectionName('d');
const AGE = parseIndex('age');

function people(store: Store, ages: Readonly<Record<string, unknown>>, pos = 1): void {
  const documents = Object.entries(ages).map(([key, age], i) =>
    sampleDocument({ key, pos: pos + i, versions: [{ seq: pos + i, value: JSON.stringify({ age, name: key }) }] }),
  );
  store.commit({ documents });
}

function keys(store: Store, filter: object, options: object = {}): string {
  return store
    .find(C, parseQuery(filter, options))
    .map(({ key }) => key)
    .join('');
}

function finish(store: Store): void {
  while (store.workOnIndexes());
}

/** Indexes change no answer, and stores that support them report when one is used. */
export function claimIndexes(claim: Claim): void {
  claim('an index is kept, replaced when its definition differs, and removed', ({ store }) => {
    store.addIndex(C, AGE);
    store.addIndex(C, AGE);
    const names = (): string[] => store.indexes(C).map(({ definition }) => definition.name);
    assert.deepEqual(names(), ['age']);
    store.addIndex(C, parseIndex({ on: 'name', name: 'age' }));
    assert.deepEqual(store.indexes(C)[0]!.definition.paths, [['name']]);
    store.addIndex(C, parseIndex('tags[]'));
    assert.deepEqual(names(), ['age', 'tags[]']);
    assert.deepEqual(store.indexes(D), []);
    assert.equal(store.removeIndex(C, 'age'), true);
    assert.equal(store.removeIndex(C, 'age'), false);
    assert.equal(store.removeIndex(D, 'age'), false);
    finish(store);
    assert.deepEqual(names(), ['tags[]']);
    for (const name of ['\u{10000}', '\uffff']) store.addIndex(C, parseIndex({ on: 'age', name }));
    assert.deepEqual(names(), ['tags[]', '\uffff', '\u{10000}'], 'in byte order');
  });

  claim('answers are the same before, during and after the building of an index', ({ store }) => {
    people(store, { a: 30, b: 12, c: 'old', d: null, e: 12 });
    const answers = (): string[] => [
      keys(store, { age: { $gte: 12 } }, { sort: { age: -1 } }),
      keys(store, { age: 12 }),
      keys(store, { age: { $in: [12, 'old', null] } }, { sort: { age: 1 }, skip: 1, limit: 2 }),
      keys(store, {}, { sort: { age: 1 }, limit: 3 }),
      String(store.count(C, parseQuery({ age: { $lt: 13 } }))),
    ];
    const before = answers();
    assert.deepEqual(before, ['abe', 'be', 'be', 'dbe', '2']);
    store.addIndex(C, AGE);
    assert.deepEqual(answers(), before);
    do assert.deepEqual(answers(), before);
    while (store.workOnIndexes());
    const [index] = store.indexes(C);
    assert.deepEqual([index?.isReady, index?.progress], [true, 1]);
    const plan = store.explain(C, parseQuery({ age: 12 }, { sort: { age: 1 } }));
    assert.equal(plan.index, store.supports.indexes ? 'age' : null);
  });

  claim('an index follows writes, removals and replacements', ({ store }) => {
    store.addIndex(C, AGE);
    finish(store);
    people(store, { a: 1, b: 2, c: 3 });
    assert.equal(keys(store, { age: { $gte: 2 } }), 'bc');
    people(store, { a: 5, c: 0 }, 4);
    assert.equal(keys(store, { age: { $gte: 2 } }, { sort: { age: 1 } }), 'ba');
    const removed = { collection: C, key: parseDocumentKey('b'), pos: 6, why: 'purged', deadSince: null } as const;
    store.commit({
      removed: [removed],
      documents: [sampleDocument({ key: 'a', pos: 7, versions: [{ seq: 7, value: null }], deadAt: 1 })],
    });
    assert.equal(keys(store, { age: { $gte: 0 } }), 'c');
    assert.equal(store.count(C, parseQuery({ age: { $gte: 0 } })), 1);
  });

  claim('documents written while an index is built are in it', ({ store }) => {
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`k${String(i).padStart(3, '0')}`, i]));
    people(store, many);
    store.addIndex(C, AGE);
    store.workOnIndexes();
    people(store, { k000: 1000, k599: 1001, zz: 1002 }, 1000);
    store.commit({
      removed: [{ collection: C, key: parseDocumentKey('k598'), pos: 2000, why: 'purged', deadSince: null }],
    });
    finish(store);
    assert.equal(keys(store, { age: { $gte: 597 } }, { sort: { age: 1 } }), 'k597k000k599zz');
    assert.equal(store.count(C, parseQuery({ age: { $gte: 0 } })), 600);
  });

  claim('a failed commit leaves indexes unchanged', ({ store, failCommit }) => {
    store.addIndex(C, AGE);
    finish(store);
    people(store, { a: 1 });
    const documents = [sampleDocument({ key: 'a', pos: 2, versions: [{ seq: 2, value: '{"age":9}' }] })];
    assert.throws(() => failCommit(store, { documents }));
    assert.equal(keys(store, { age: 1 }), 'a');
    assert.equal(keys(store, { age: 9 }), '');
  });

  claim('a page continues where the previous one ended', ({ store }) => {
    people(store, { a: 1, b: 2, c: 2, d: 2, e: 3 });
    for (const isIndexed of [false, true]) {
      if (isIndexed) store.addIndex(C, AGE);
      finish(store);
      const after = (sort: object, key: string, value: number) => {
        const { sort: fields } = parseQuery({}, { sort } as object);
        return store
          .find(C, { ...parseQuery({}, { sort, limit: 10 } as object), sort: fields, after: { values: [value], key } })
          .map((found) => found.key)
          .join('');
      };
      assert.equal(after({ age: 1 }, 'c', 2), 'de');
      assert.equal(after({ age: 1 }, 'bb', 2), 'cde');
      assert.equal(after({ age: -1 }, 'b', 2), 'cda');
    }
  });
}
