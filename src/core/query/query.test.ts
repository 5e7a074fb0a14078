/**
 * Goal: filters have one meaning, errors about wrong ones say what to do, and sorting is a total order.
 * Method: tables of filter, document and answer; the laws of equality and order on random values.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../config/index.ts';
import { isEntglDbError } from '../errors/index.ts';
import {
  canonicalJson,
  compareBySort,
  compareValues,
  type JsonValue,
  matches,
  parseFilter,
  parseQuery,
  readPath,
} from './index.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const anna = {
  name: 'Anna',
  age: 42,
  active: true,
  note: null,
  address: { city: 'Vicenza', zip: '36100' },
  tags: ['gold', { x: 1 }],
  '0': 'zero',
};

const fits = (filter: object, document: JsonValue = anna): boolean => matches(parseFilter(filter), document);

test('operators work as documented', () => {
  const yes: object[] = [
    {},
    { name: 'Anna' },
    { 'address.city': 'Vicenza', age: { $gte: 42, $lt: 43 } },
    { address: { zip: '36100', city: 'Vicenza' } },
    { 'tags.0': 'gold', 'tags.1.x': 1 },
    { '0': 'zero' },
    { note: null },
    { missing: { $ne: null } },
    { missing: { $ne: 1 } },
    { missing: { $nin: [1, 2] } },
    { age: { $in: [1, 42] } },
    { tags: ['gold', { x: 1 }] },
    { note: { $exists: true }, missing: { $exists: false } },
    { $or: [{ age: 1 }, { active: true }] },
    { $and: [{ age: 42 }, { $not: { age: 41 } }] },
    { age: { $not: { $gt: 42 } } },
    { missing: { $not: { $gt: 42 } } },
    { name: { $gt: 'Ann', $lte: 'Anna' } },
    { active: { $gt: false } },
    { name: { $regex: '^an+a$', $options: 'i' }, 'address.city': { $regex: /CEN/i } },
    { name: { $startsWith: 'An', $endsWith: 'na', $contains: 'nn' } },
    { tags: { $contains: 'gold', $size: 2, $all: [{ x: 1 }, 'gold'] } },
    { tags: { $elemMatch: { x: { $gte: 1 } } } },
    { tags: { $elemMatch: { $startsWith: 'g', $ne: 'gods' } } },
    { tags: { $elemMatch: { $not: { x: 1 } } } },
    { 'tags[].x': 1, 'tags[]': 'gold' },
    { 'tags[]': { $ne: 'silver' }, 'name[]': { $ne: 'A' } },
    { tags: { $text: 'GÓLD' } },
    { $text: { on: ['name', 'address.city'], words: 'anna, vic*' } },
  ];
  const no: object[] = [
    { name: 'anna' },
    { note: { $ne: null } },
    { missing: null },
    { missing: { $eq: null } },
    { age: '42' },
    { active: 1 },
    { age: { $gt: '1' } },
    { age: { $gt: false } },
    { note: { $lte: 0 } },
    { address: { city: 'Vicenza' } },
    { age: { $in: [] } },
    { 'tags.00': 'gold' },
    { 'tags.-1': { $exists: true } },
    { 'tags.length': { $exists: true } },
    { 'name.0': { $exists: true } },
    { constructor: { $exists: true } },
    { '__proto__.toString': { $exists: true } },
    { age: { $gt: 41, $ne: 42 } },
    { name: { $regex: '^na' } },
    { age: { $regex: '4' } },
    { age: { $startsWith: '4' } },
    { tags: { $contains: 'gol' } },
    { tags: { $size: 1 } },
    { name: { $size: 4 } },
    { tags: { $all: ['gold', 'silver'] } },
    { 'tags[]': { $ne: 'gold' } },
    { 'name[]': 'A' },
    { address: { $elemMatch: {} } },
    { name: { $text: 'ann' } },
    { $text: { on: ['name'], words: 'anna vicenza' } },
  ];
  for (const filter of yes) assert.ok(fits(filter), JSON.stringify(filter));
  for (const filter of no) assert.ok(!fits(filter), JSON.stringify(filter));
});

test('texts compare by UTF-8 bytes, so that every store agrees', () => {
  assert.ok(fits({ t: { $gt: '\uffff' } }, { t: '\u{1f600}' }));
  assert.ok(fits({ t: { $lt: 'a' } }, { t: 'Z' }));
});

test('the error for a wrong filter says where it is wrong, what is allowed, and what was probably meant', () => {
  const refused: [filter: unknown, says: RegExp][] = [
    [1, /not an object/],
    [null, /not an object/],
    [[], /not an object/],
    [{ age: { $gte2: 1 } }, /unknown operator "\$gte2" at "age"; did you mean \$gte\? Allowed here: \$eq \$ne/],
    [{ age: { $neq: 1 } }, /did you mean \$ne\?/],
    [{ age: { $near: 'x' } }, /unknown operator "\$near" at "age"/],
    [{ age: { $gt: 1, lt: 2 } }, /unknown operator "lt" at "age"; did you mean \$lt/],
    [{ $nor: [] }, /unknown operator "\$nor"; did you mean \$or/],
    [{ $gt: 1 }, /unknown operator "\$gt"/],
    [{ age: { $gt: null } }, /\$gt at "age" wants a number, text or boolean, not null/],
    [{ age: { $in: 1 } }, /\$in at "age" wants an array of JSON values, not 1/],
    [{ age: { $exists: 1 } }, /\$exists at "age" wants true or false, not 1/],
    [{ age: { $not: 5 } }, /\$not at "age" wants an object of operators, not 5/],
    [{ $or: [] }, /\$or wants a non-empty array of filters, not an empty array/],
    [{ $or: [1] }, /\$or wants filters, which are objects, not 1/],
    [{ age: undefined }, /\$eq at "age" is undefined/],
    [{ age: { $gt: Number.NaN } }, /\$gt at "age" is NaN/],
    [{ age: { $in: [1, undefined] } }, /\$in at "age" is undefined/],
    [{ age: new Date(0) }, /an instance of Date/],
    [{ a: { $regex: '(a)\\1' } }, /\$regex at "a" has the escape \\1/],
    [{ a: { $regex: 'a', $options: 'g' } }, /\$regex at "a" has the flags "g"/],
    [{ a: { $options: 'i' } }, /\$options at "a" wants a \$regex beside it/],
    [{ a: { $regex: 1 } }, /\$regex at "a" wants a pattern/],
    [{ a: { $size: -1 } }, /\$size at "a" wants an integer from 0/],
    [{ a: { $all: [] } }, /\$all at "a" wants a non-empty array/],
    [{ a: { $elemMatch: 1 } }, /\$elemMatch at "a" wants a filter/],
    [{ a: { $startsWith: 1 } }, /\$startsWith at "a" wants a text/],
    [{ a: { $text: '!' } }, /\$text at "a" holds no word/],
    [{ $text: 'red' }, /\$text wants an object such as/],
    [{ age: '\ud800' }, /surrogate/],
    [{ '\ud800': 1 }, /surrogate/],
    [{ [`a${'.b'.repeat(LIMITS.filterDepthMax)}`]: 1 }, /steps \(Limits.filterDepthMax\)/],
    [{ a: { $in: new Array(LIMITS.filterTermsMax + 1).fill(0) } }, /filterTermsMax\); ask in several queries/],
    [{ $or: new Array(LIMITS.filterTermsMax + 1).fill({ a: 1 }) }, /filterTermsMax/],
    [{ $or: new Array(LIMITS.filterTermsMax + 1).fill({}) }, /filterTermsMax/],
    [nested(LIMITS.filterDepthMax + 1), /nested deeper/],
  ];
  for (const [filter, says] of refused) {
    assert.throws(
      () => parseFilter(filter),
      (error) => isEntglDbError(error, 'INVALID_FILTER') && says.test(error.message),
      `${says}`,
    );
  }
  assert.ok(fits(nested(LIMITS.filterDepthMax)));
});

function nested(depth: number): object {
  return depth === 0 ? { age: 42 } : { $or: [nested(depth - 1)] };
}

test('sort, skip and limit are checked', () => {
  assert.deepEqual(parseQuery({}, { sort: { 'a.b': -1, c: 1 }, skip: 2, limit: 0 }), {
    filter: { kind: 'all' },
    sort: [
      { path: ['a', 'b'], descending: true },
      { path: ['c'], descending: false },
    ],
    skip: 2,
    limit: 0,
  });
  assert.equal(parseQuery(undefined).limit, Number.POSITIVE_INFINITY);
  const wrong: [options: object, says: RegExp][] = [
    [{ sort: 'name' }, /sort is not an object/],
    [{ sort: { name: 'asc' } }, /direction at "name" is neither 1/],
    [{ skip: -1 }, /skip is not an integer/],
    [{ limit: 1.5 }, /limit is not an integer/],
  ];
  for (const [options, says] of wrong) assert.throws(() => parseQuery({}, options), says);
  assert.throws(
    () => parseQuery({}, { sort: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`f${i}`, 1])) }),
    /more than 16 fields/,
  );
});

test('sorting orders by type, reverses for descending fields, and breaks ties by key', () => {
  const values: (JsonValue | undefined)[] = [
    undefined,
    null,
    false,
    true,
    -1,
    0,
    2.5,
    '',
    'A',
    'a',
    '\u{1f600}',
    [],
    {},
  ];
  const documents = values.map((v, i) => ({ key: String.fromCharCode(97 + i), value: v === undefined ? {} : { v } }));
  const keys = (sort: object): string =>
    [...documents]
      .reverse()
      .sort(compareBySort(parseQuery({}, { sort } as object).sort))
      .map((d) => d.key)
      .join('');
  assert.equal(keys({ v: 1 }), 'abcdefghijklm');
  assert.equal(keys({ v: -1 }), 'lmkjihgfedcba');
  assert.equal(keys({ w: 1, v: -1 }), 'lmkjihgfedcba');
});

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;

test('canonical JSON is the same text for equal values, whatever the order of members', () => {
  assert.equal(canonicalJson({ b: 1, a: [{ d: -0, c: undefined }] }), '{"a":[{"d":0}],"b":1}');
  const reversed = (value: JsonValue): JsonValue => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(reversed);
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, member]) => [name, reversed(member as JsonValue)]),
    );
  };
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value);
      assert.equal(canonicalJson(reversed(value)), text);
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
    { numRuns: 300 * SCALE },
  );
});

test('comparing values is a total order', () => {
  fc.assert(
    fc.property(json, json, json, (a, b, c) => {
      assert.equal(Math.sign(compareValues(a, b)) + Math.sign(compareValues(b, a)), 0);
      if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) assert.ok(compareValues(a, c) <= 0);
    }),
    { numRuns: 500 * SCALE },
  );
});

test('paths lead only to own members and items', () => {
  assert.equal(readPath({ a: [[1, 2]] }, ['a', '0', '1']), 2);
  assert.equal(readPath(JSON.parse('{"__proto__":{"x":1}}'), ['__proto__', 'x']), 1);
  assert.equal(readPath({ '': { '': 1 } }, ['', '']), 1);
  assert.equal(readPath({}, ['__proto__']), undefined);
  assert.equal(readPath([1], ['1e0']), undefined);
});
