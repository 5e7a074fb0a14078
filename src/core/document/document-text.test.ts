/**
 * Goal: local and remote documents pass the same checks, so that no node stores what another would refuse or read
 * differently. Method: the refusals one by one, then random values and random damage to their texts, judged by JSON.parse.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isEntglDbError } from '../errors/index.ts';
import { checkDocumentText, documentToText } from './index.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const limits = { documentBytesMax: 200, documentDepthMax: 4 };
const wide = { documentBytesMax: 1e6, documentDepthMax: 100 };

const refusal = (value: unknown, reason: string, says: RegExp): void => {
  assert.throws(
    () => documentToText(value, limits),
    (error) => isEntglDbError(error, reason as 'INVALID_DOCUMENT') && says.test(error.message),
  );
};

test('a value that JSON.stringify would silently change is refused, with its path', () => {
  const invalid = (value: unknown, says: RegExp): void => refusal(value, 'INVALID_DOCUMENT', says);
  for (const value of [null, undefined, 1, 'x', [1], new Date(0), () => 1]) invalid(value, /plain object/);
  invalid({ a: { 'b/c': Number.NaN } }, /"\/a\/b~1c" is NaN/);
  invalid({ a: [1, Number.POSITIVE_INFINITY] }, /"\/a\/1" is Infinity/);
  invalid({ a: [undefined] }, /"\/a\/0" is undefined/);
  invalid({ a: new Array(1) }, /"\/a\/0" is undefined/);
  invalid({ a: 1n }, /a bigint/);
  invalid({ a: () => 1 }, /a function/);
  invalid({ a: Symbol('x') }, /a symbol/);
  invalid({ a: new Date(0) }, /an instance of Date/);
  invalid({ a: new Map() }, /an instance of Map/);
  invalid({ a: '\ud800' }, /surrogate/);
  invalid({ '\udc00': 1 }, /surrogate/);
  invalid({ a: [{ 'b\0c': 1 }] }, /NUL/);
});

test('a value that changes between check and text is refused, and so is a hidden toJSON', () => {
  const flips = (first: unknown, then: unknown): object => {
    let reads = 0;
    return {
      held: null,
      get a() {
        return reads++ === 0 ? first : then;
      },
    };
  };
  const invalid = (value: unknown, says: RegExp): void => refusal(value, 'INVALID_DOCUMENT', says);
  invalid(flips(1, Number.NaN), /each time it is read/);
  invalid({ null: [flips([1, 'null'], [() => 1, 'null'])] }, /each time it is read/);
  invalid(flips('x', '\ud800'), /surrogate/);
  invalid(flips({}, { 'b\0c': 1 }), /NUL/);
  assert.equal(documentToText(flips('null', 'a null'), limits), '{"held":null,"a":"a null"}');

  const hidden = (toJSON: unknown): object => Object.defineProperty({ a: 1 }, 'toJSON', { value: toJSON });
  for (const told of ['text', undefined, { b: Number.NaN }]) {
    invalid(
      hidden(() => told),
      /has a toJSON of its own/,
    );
    invalid({ a: [hidden(() => told)] }, /"\/a\/0" has a toJSON of its own/);
  }
  assert.equal(documentToText(hidden(1), limits), '{"a":1}');
  let asked = 0;
  const late = new Proxy(
    { a: 1 },
    { get: (target, name) => (name === 'toJSON' && asked++ > 0 ? () => 'text' : Reflect.get(target, name)) },
  );
  invalid(late, /each time it is read/);

  const watched = (told: unknown): object => ({ a: Object.assign([1], { toJSON: () => told }) });
  assert.equal(documentToText(watched([2, { b: null }]), limits), '{"a":[2,{"b":null}]}');
  invalid(watched([Number.NaN]), /"\/a\/0" is NaN/);
  invalid(watched('text'), /"\/a" has a toJSON of its own/);
});

test('a document that contains itself, or is nested too deep, is refused', () => {
  const own: Record<string, unknown> = {};
  own.self = own;
  refusal(own, 'INVALID_DOCUMENT', /"\/self\/self\/self\/self" is nested too deep, or holds itself/);
  assert.equal(documentToText({ a: { b: [{}] } }, limits), '{"a":{"b":[{}]}}');
  refusal({ a: { b: [[{}]] } }, 'INVALID_DOCUMENT', /too deep/);
});

test('size is counted in bytes of UTF-8', () => {
  assert.equal(documentToText({ a: 'x'.repeat(192) }, limits).length, 200);
  refusal({ a: 'x'.repeat(193) }, 'DOCUMENT_TOO_LARGE', /201 bytes.*at most 200/);
  refusal({ a: 'é'.repeat(97) }, 'DOCUMENT_TOO_LARGE', /202 bytes/);
  assert.equal(checkDocumentText(`{"a":"${'é'.repeat(97)}"}`, limits)?.reason, 'DOCUMENT_TOO_LARGE');
});

test('undefined members are left out, -0 becomes 0, NUL in texts and hostile names are kept', () => {
  assert.equal(documentToText({ a: undefined, b: -0 }, limits), '{"b":0}');
  assert.equal(documentToText({ a: 'b\0c' }, limits), '{"a":"b\\u0000c"}');
  const bare = Object.assign(Object.create(null), { a: '\\ud800' });
  assert.equal(documentToText(bare, limits), '{"a":"\\\\ud800"}');
  const hostile = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
  assert.equal(documentToText(hostile, limits), '{"__proto__":{"a":1},"constructor":2}');
});

test('remote texts that are not a document, or that readers could read differently, are refused', () => {
  const refused: [text: string, says: RegExp][] = [
    ['', /not a JSON object/],
    ['[1]', /not a JSON object/],
    ['null', /not a JSON object/],
    ['{"a":1', /not valid JSON/],
    ['{"a":1}}', /goes on after its end/],
    ['{"a":1,}', /not valid JSON/],
    ['{a:1}', /not valid JSON/],
    ["{'a':1}", /not valid JSON/],
    ['{"a":[1 2]}', /not valid JSON/],
    ['{"a":tru}', /not valid JSON/],
    ['{"a":01}', /not valid JSON/],
    ['{"a":NaN}', /not valid JSON/],
    ['{"a":"\n"}', /not valid JSON/],
    ['{"a":"\\x41"}', /not valid JSON/],
    ['{"a":1,"a":2}', /a name twice/],
    ['{"a":{"b":1,"\\u0062":2}}', /a name twice/],
    ['{"a":"\\ud800"}', /surrogate/],
    ['{"a\\u0000b":1}', /NUL/],
    ['{"a":"\ud800"}', /surrogate/],
    ['{"a":-0}', /a number in another form/],
    ['{"a":1.0}', /a number in another form/],
    ['{"a":1e400}', /a number in another form/],
    ['{"a":9007199254740993}', /a number in another form/],
    ['{"a":{"b":[[{}]]}}', /nested deeper than 4/],
  ];
  for (const [text, says] of refused) assert.match(checkDocumentText(text, limits)?.what ?? 'accepted', says, text);
  const many = Array.from({ length: 20 }, (_, i) => `"n${i}":0`).join(',');
  assert.equal(checkDocumentText(`{${many}}`, limits), undefined);
  assert.match(checkDocumentText(`{${many},"n3":0}`, wide)?.what ?? '', /a name twice/);
});

test('white space and needless escapes in remote texts are allowed', () => {
  for (const text of [' {\t"a" : [ ] , "b":\r\n{ } } ', '{"\\u0061":"\\/\\ud83d\\ude00"}', '{"a":1e+21,"b":-1.5e-7}']) {
    assert.equal(checkDocumentText(text, limits), undefined, text);
  }
});

const hasNulName = (value: unknown): boolean => /"[^"]*\\u0000[^"]*":/.test(JSON.stringify(value));
const document = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))
  .filter((value) => !hasNulName(value));

test('every document accepted as a local write is accepted as a remote one, and reads back equal', () => {
  fc.assert(
    fc.property(document, (value) => {
      const text = documentToText(value, wide);
      assert.equal(text, JSON.stringify(value));
      assert.equal(checkDocumentText(text, wide), undefined);
    }),
    { numRuns: 500 * SCALE },
  );
});

test('a damaged text is accepted only if it is still a JSON object', () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.nat(3),
    fc.constantFrom('', '"', '{', '}', ',', ':', '0', 'e', '-', '\\', 'ud', ' '),
  );
  fc.assert(
    fc.property(document, fc.array(damage, { minLength: 1, maxLength: 3 }), (value, wounds) => {
      let text = JSON.stringify(value);
      for (const [at, cut, put] of wounds) {
        const from = at % (text.length + 1);
        text = text.slice(0, from) + put + text.slice(from + cut);
      }
      if (checkDocumentText(text, wide) !== undefined) {
        assert.ok(!isOwnText(text), `refused, though it is what JSON.stringify writes: ${text}`);
        return;
      }
      const parsed: unknown = JSON.parse(text);
      assert.ok(typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed));
      assert.equal(documentToText(parsed, wide), JSON.stringify(parsed));
    }),
    { numRuns: 2000 * SCALE },
  );
});

function isOwnText(text: string): boolean {
  try {
    return (
      text.startsWith('{') &&
      text.isWellFormed() &&
      JSON.stringify(JSON.parse(text)) === text &&
      !/\\u(?:d[89a-f]|0000)/.test(text)
    );
  } catch {
    return false;
  }
}
