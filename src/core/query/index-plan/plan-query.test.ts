/**
 * Goal: a plan's answer from an index is that of the naive evaluator, and the plan says how it is found.
 * Method: random documents, indexes and queries; each plan is executed on a list of entries and compared. Tables of plans.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareBySort,
  compareValues,
  type IndexDefinition,
  type IndexPlan,
  indexEntries,
  isAfter,
  type JsonValue,
  matches,
  parseIndex,
  parseQuery,
  planQuery,
  type Query,
  type SortableDocument,
} from '../index.ts';
import { documentSamples, filterSamples, indexSamples, pageSamples } from '../test-query-samples.ts';
import { indexKey } from './index.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

function answerNaively(documents: readonly SortableDocument[], query: Query): string[] {
  const { after } = query;
  const found = documents
    .filter(({ value }) => matches(query.filter, value))
    .filter((each) => after === undefined || isAfter(query.sort, each, after))
    .sort(compareBySort(query.sort));
  return found.slice(query.skip, query.skip + query.limit).map(({ key }) => key);
}

interface Entry {
  readonly key: Buffer;
  readonly document: SortableDocument;
}

function answerBy(plan: IndexPlan, documents: readonly SortableDocument[], query: Query): string[] {
  const turn = plan.order === 'backward' ? -1 : 1;
  const entries: Entry[] = documents
    .flatMap((document) => indexEntries(plan.index, document.value).map((key) => ({ key, document })))
    .sort((a, b) => turn * Buffer.compare(a.key, b.key) || compareBySort([])(a.document, b.document));
  const within = entries.filter(({ key }) =>
    plan.bounds.some(
      ({ from, to }) => Buffer.compare(from, key) <= 0 && (to === undefined || Buffer.compare(key, to) < 0),
    ),
  );
  const found = within.map(({ document }) => document).filter(({ value }) => matches(plan.residual, value));
  const once = plan.mayRepeat ? [...new Set(found)] : found;
  assert.equal(new Set(once).size, once.length, 'a document came twice');
  const { after, sort, skip, limit } = query;
  if (plan.order === 'none') once.sort(compareBySort(sort));
  else if (after !== undefined) {
    const passed = new Set(
      within
        .filter(({ key, document }) => {
          const order = turn * Buffer.compare(key, plan.afterKey!);
          return order < 0 || (order === 0 && compareBySort([])(document, { key: after.key, value: null }) <= 0);
        })
        .map(({ document }) => document),
    );
    return slice(once.filter((document) => !passed.has(document)));
  }
  return slice(once.filter((each) => after === undefined || isAfter(sort, each, after)));

  function slice(all: readonly SortableDocument[]): string[] {
    return all.slice(skip, skip + limit).map(({ key }) => key);
  }
}

test('every plan finds what the naive evaluator finds, in its order', () => {
  let plans = 0;
  let ordered = 0;
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(documentSamples, { minLength: 3, maxLength: 20, size: 'max' }),
      fc.array(indexSamples, { minLength: 2, maxLength: 5, size: 'max' }),
      filterSamples,
      pageSamples,
      (values, specs, filter, page) => {
        const documents = values.map((value, i) => ({ key: `k${i}`, value }));
        const query = page(parseQuery(filter), documents);
        const expected = answerNaively(documents, query);
        for (const plan of planQuery(query, specs.map(parseIndex))) {
          assert.deepEqual(answerBy(plan, documents, query), expected, plan.index.name);
          plans++;
          if (plan.order !== 'none') ordered++;
          found += expected.length;
        }
      },
    ),
    { numRuns: 2000 * SCALE },
  );
  assert.ok(Math.min(plans, ordered, found) > 50, `${plans} plans, ${ordered} in order, ${found} documents`);
});

test('the order of keys is the order of values', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom(0, -0, 'a', 'a\u0000', 'a\u0000b', 'ab', '\uffff', '\u{1f600}', -1, 5e-324, -5e-324),
  ) as fc.Arbitrary<JsonValue>;
  fc.assert(
    fc.property(value, value, value, value, (a, b, c, d) => {
      const first = compareValues(a, c);
      const order = first === 0 ? compareValues(b, d) : first;
      assert.equal(Math.sign(Buffer.compare(indexKey([a, b]), indexKey([c, d]))), Math.sign(order));
    }),
    { numRuns: 2000 * SCALE },
  );
});

test('a plan narrows by values first, then by one range, and uses the order of the index where it can', () => {
  const cityAge = parseIndex(['city', 'age']);
  const described = (filter: object, options: object = {}, index: IndexDefinition = cityAge) => {
    const [plan] = planQuery(parseQuery(filter, options), [index]);
    return plan && `${plan.narrowed}, ${plan.bounds.length}, ${plan.residual.kind}, ${plan.order}`;
  };
  const range = { city: 'Rome', age: { $gte: 18, $lt: 65 } };
  assert.equal(described(range), 'values and range, 1, all, none');
  assert.equal(described(range, { sort: { age: 1 } }), 'values and range, 1, all, forward');
  assert.equal(described(range, { sort: { city: 1, age: -1 } }), 'values and range, 1, all, backward');
  assert.equal(described({ ...range, name: 'x' }), 'values and range, 1, eq, none');
  assert.equal(described({ city: { $in: ['Rome', 'Oslo', 'Rome'] }, age: 3 }), 'values, 2, all, none');
  assert.equal(described({ city: { $in: ['b', 'a'] } }, { sort: { city: 1, age: 1 } }), 'values, 2, all, forward');
  assert.equal(described({ city: { $startsWith: 'Ro' } }), 'range, 1, all, none');
  assert.equal(described({ age: 5 }), undefined);
  const age = parseIndex('age');
  assert.equal(
    described({ $or: [{ age: 5 }, { age: 1 }, { age: 5 }] }, { sort: { age: 1 } }, age),
    'values, 2, all, forward',
  );
  assert.equal(described({ $or: [{ age: { $gt: 5 } }, { age: 7, name: 'x' }] }, {}, age), 'range, 1, or, none');
  assert.equal(described({ $or: [{ age: 5 }, { name: 'x' }] }, {}, age), undefined);
  assert.equal(described({ city: { $regex: '^Ro' } }), 'range, 1, regex, none');
  assert.equal(described({}, { sort: { city: 1, age: 1 }, limit: 5 }), 'nothing, 1, all, forward');
  assert.equal(described({}, { sort: { city: 1 }, limit: 5 }), undefined);
  assert.equal(described({ tags: { $contains: 'gold' } }, {}, parseIndex('tags[]')), 'values, 2, contains, none');
  assert.equal(described({ 'tags[]': 'gold' }, {}, parseIndex({ on: 'tags', multi: true })), 'values, 1, all, forward');
  assert.equal(described({ 'items[].price': { $gt: 5 } }, {}, parseIndex('items[].price')), 'range, 1, all, none');
  const words = parseIndex({ on: ['title', 'body'], fullText: true });
  assert.equal(described({ title: { $text: 'red' } }, {}, words), 'values, 1, words, forward');
  assert.equal(described({ $text: { on: ['title', 'body'], words: 'red*' } }, {}, words), 'range, 1, all, none');
});

test('a partial index answers only queries that ask for no other documents', () => {
  const adults = parseIndex({ on: 'name', where: { age: { $gte: 18 }, active: true } });
  const isUsed = (filter: object): boolean => planQuery(parseQuery(filter), [adults]).length > 0;
  assert.ok(isUsed({ age: { $gte: 18 }, active: true, name: 'x' }));
  assert.ok(isUsed({ age: { $gt: 20, $lt: 30 }, active: true }));
  assert.ok(isUsed({ age: { $in: [18, 19] }, active: true }));
  assert.ok(!isUsed({ age: { $gte: 17 }, active: true, name: 'x' }));
  assert.ok(!isUsed({ age: { $gte: 18 }, name: 'x' }));
  assert.ok(isUsed({ $or: [{ age: 20, active: true }], name: 'x', active: { $ne: 1 } }));
  assert.ok(!isUsed({ $or: [{ age: 20, active: true }, { age: 21 }], name: 'x' }));
});

test('the error for a wrong index says what is wrong', () => {
  const refused: [spec: unknown, says: RegExp][] = [
    [1, /is no path/],
    [[], /names no fields/],
    [{ on: 'a', uniqe: true }, /unknown option "uniqe"/],
    [{ on: 'a', unique: 1 }, /unique that is not true or false/],
    [['a', 'a'], /names a field twice/],
    [{ on: ['a', 'b'], multi: true }, /of items has one path/],
    [{ on: 'a', fullText: true, unique: true }, /cannot be unique/],
    ['a[].b[]', /arrays in arrays/],
    [{ on: 'a', name: '' }, /a name that is no text/],
    [Array.from({ length: 9 }, (_, i) => `f${i}`), /more than 8 fields/],
    [{ on: 'a', where: { b: { $gtt: 1 } } }, /did you mean \$gt/],
  ];
  for (const [spec, says] of refused) assert.throws(() => parseIndex(spec), says);
  assert.equal(parseIndex(['city', 'age']).name, 'city,age');
  assert.equal(parseIndex({ on: 'tags', multi: true }).name, 'tags multi');
});
