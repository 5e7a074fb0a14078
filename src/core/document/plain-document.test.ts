/**
 * Goal: the quick check accepts no text that the full check refuses, and accepts most documents.
 * Method: random documents and random damage to their texts. A leading space forces the full check, which must agree.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkDocumentText } from './index.ts';
import { isPlainDocument } from './plain-document.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 20_261_128);
const LIMITS = { documentBytesMax: 1e6, documentDepthMax: 6 };

function requireAgreement(text: string): boolean {
  const isPlain = text.isWellFormed() && isPlainDocument(text, LIMITS.documentDepthMax);
  if (isPlain) assert.equal(checkDocumentText(` ${text}`, LIMITS), undefined, `${JSON.stringify(text)}; seed ${SEED}`);
  return isPlain;
}

const anyDocument = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 4 }));

test('a damaged text that passes the quick check passes the full one', () => {
  let plain = 0;
  let seen = 0;
  const damage = fc.constantFrom(
    '',
    ' ',
    '"',
    '\\',
    '\\u0041',
    ',',
    ':',
    '0',
    '-',
    '-0',
    '.5',
    'e1',
    '{',
    '}',
    '[',
    ']',
    '"a"',
    '\0',
  );
  fc.assert(
    fc.property(anyDocument, fc.nat(), fc.nat(3), damage, (document, place, cut, piece) => {
      const text = JSON.stringify(document);
      const at = place % (text.length + 1);
      for (const each of [text, text.slice(0, at) + piece + text.slice(at + cut), text.slice(0, at)]) {
        seen++;
        if (requireAgreement(each)) plain++;
      }
    }),
    { seed: SEED, numRuns: 3000 * SCALE },
  );
  assert.ok(plain > seen / 10, `${plain} of ${seen} texts were plain: the test has lost its force`);
});

test('a truncated text is never completed by the leftovers of the text before it', () => {
  const text = JSON.stringify({ a: [1.5, -2, true, null, { b: 'ü', c: 'x' }], d: 123 });
  for (let length = text.length - 1; length > 0; length--) {
    assert.ok(isPlainDocument(text, LIMITS.documentDepthMax));
    assert.ok(!isPlainDocument(text.slice(0, length), LIMITS.documentDepthMax), text.slice(0, length));
  }
});

test('a document is plain whatever its length', () => {
  for (const length of [1, 21_000, 22_000, 65_000, 66_000, 500_000])
    for (const unit of ['x', 'ü', '名']) {
      const text = JSON.stringify({ text: unit.repeat(length), after: 1 });
      assert.ok(isPlainDocument(text, LIMITS.documentDepthMax), `${length} times ${unit}`);
      assert.ok(!isPlainDocument(text.slice(0, -1), LIMITS.documentDepthMax), `${length} times ${unit}`);
    }
});

test('ordinary documents are plain', () => {
  for (const document of [
    {},
    { a: null, b: true, c: false, d: [], e: {}, f: '', g: 0 },
    { price: 12.95, small: 1e-7, large: 1e21, negative: -3, exact: 9007199254740991, ten: 10 },
    { ünï: '名前 😀', nested: [{ a: [1, [2, ['x']]] }] },
    Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`field ${i}`, i])),
  ])
    assert.ok(isPlainDocument(JSON.stringify(document), LIMITS.documentDepthMax), JSON.stringify(document));
});

test('a text that needs the full check is not plain', () => {
  for (const text of [
    '',
    '[]',
    '1',
    '{',
    '{}x',
    '{} ',
    '{"a":1,}',
    '{"a":1 }',
    '{"a":01}',
    '{"a":-}',
    '{"a":-0}',
    '{"a":1.0}',
    '{"a":1e5}',
    '{"a":9007199254740993}',
    '{"a":1,"a":2}',
    '{"a":"\\n"}',
    '{"a":"\n"}',
    '{"a":tru}',
    '{"a":[1,]}',
    '{"a":{"b":{"c":{"d":{"e":{"f":{}}}}}}}',
  ])
    assert.ok(!isPlainDocument(text, LIMITS.documentDepthMax), text);
});
