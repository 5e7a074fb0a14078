/**
 * Goal: an import takes what an export gives and more, within bounds, and names the line that is wrong. Method: byte streams
 * cut at every place, written into a plain list.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { Document } from '../../database/index.ts';
import { exportDocuments, type ImportOptions, importDocuments, readLines } from './index.ts';

async function* chunks(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function runImport(text: string | Uint8Array, more: Partial<ImportOptions> = {}) {
  const batches: (readonly [string, Document])[][] = [];
  const putMany = async (documents: Iterable<readonly [string, Document]>) => void batches.push([...documents]);
  const imported = await importDocuments(chunks(text, 1000), { putMany }, { limits: LIMITS, ...more });
  return { imported, batches, all: batches.flat() };
}

test('lines come out whole wherever the stream is cut, with either end, without empty ones', async () => {
  const text = '\uFEFFfirst\r\nzweite Zeile ü €\n\n  \n{"a":"😀"}\nlast';
  for (let size = 1; size < 20; size++) {
    const lines = await collect(readLines(chunks(text, size), 100));
    assert.deepEqual(
      lines.map(({ number, text }) => [number, text]),
      [
        [1, 'first'],
        [2, 'zweite Zeile ü €'],
        [5, '{"a":"😀"}'],
        [6, 'last'],
      ],
    );
  }
});

test('what was exported is imported the same', async () => {
  const documents: [string, Document][] = Array.from({ length: 3000 }, (_, i) => [`k${i}`, { i, pad: 'x'.repeat(50) }]);
  const entries = async function* () {
    yield* documents;
  };
  const text = (await collect(exportDocuments({ entries }))).join('');
  const { imported, all } = await runImport(text);
  assert.equal(imported, 3000);
  assert.deepEqual(all, documents);
});

test('transactions stay within both bounds', async () => {
  const many = Array.from({ length: 2500 }, (_, i) => JSON.stringify({ id: i })).join('\n');
  assert.deepEqual(
    (await runImport(many)).batches.map((batch) => batch.length),
    [1000, 1000, 500],
  );
  const large = Array.from({ length: 5 }, (_, i) => JSON.stringify({ id: i, pad: 'x'.repeat(400_000) })).join('\n');
  assert.deepEqual(
    (await runImport(large)).batches.map((batch) => batch.length),
    [2, 2, 1],
  );
});

test('documents of other origin bring their key in a field, named or usual', async () => {
  assert.deepEqual((await runImport('{"id":7,"name":"x"}\n{"_id":"a","id":"b"}')).all, [
    ['7', { id: 7, name: 'x' }],
    ['a', { _id: 'a', id: 'b' }],
  ]);
  assert.deepEqual((await runImport('{"sku":"a","value":{}}', { keyField: 'sku' })).all, [
    ['a', { sku: 'a', value: {} }],
  ]);
});

test('a document whose own fields are key and value and more is not mistaken for an exported line', async () => {
  assert.deepEqual((await runImport('{"key":"a","value":{},"x":1}')).all, [['a', { key: 'a', value: {}, x: 1 }]]);
});

const bad: [name: string, line: string | Uint8Array, reason: string, message: RegExp][] = [
  ['no JSON', '{"id":1', 'INVALID_DOCUMENT', /^line 2 is not JSON/],
  ['no object', '[1]', 'INVALID_DOCUMENT', /^line 2 is not a JSON object/],
  ['no key', '{"name":1}', 'INVALID_DOCUMENT', /^line 2: .*name the field/],
  ['a key that is no text', '{"key":true,"value":{}}', 'INVALID_NAME', /^line 2: the document key/],
  ['too long a key', JSON.stringify({ id: 'x'.repeat(1025) }), 'INVALID_NAME', /^line 2: /],
  ['too large a document', JSON.stringify({ id: 1, pad: 'x'.repeat(1024 * 1024) }), 'DOCUMENT_TOO_LARGE', /^line 2: /],
  ['too long a line', `{"id":1,"pad":"${'x'.repeat(2_000_000)}"}`, 'DOCUMENT_TOO_LARGE', /^line 2 is longer/],
  ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'INVALID_DOCUMENT', /^line 2 is not UTF-8/],
];
for (const [name, line, reason, message] of bad) {
  test(`a line with ${name} ends the import with its number`, async () => {
    const text = Buffer.concat([Buffer.from('{"id":0}\n'), Buffer.from(line), Buffer.from('\n{"id":2}\n')]);
    await assert.rejects(runImport(text), (error: Error) => {
      assert.ok(isEntglDbError(error), String(error));
      assert.equal(error.reason, reason);
      assert.equal(error.details.line, 2);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('bad lines can be left out and told of', async () => {
  const told: unknown[] = [];
  const text = '{"id":0}\nx\n{"id":2}\n{}\n';
  const { imported } = await runImport(text, { onBadLine: (error) => told.push(error.details.line) });
  assert.equal(imported, 2);
  assert.deepEqual(told, [2, 4]);
});

test('an aborted import stops before the next transaction', async () => {
  const controller = new AbortController();
  const text = Array.from({ length: 2500 }, (_, i) => JSON.stringify({ id: i })).join('\n');
  const onProgress = () => controller.abort(new Error('enough'));
  await assert.rejects(runImport(text, { signal: controller.signal, onProgress }), /enough/);
});
