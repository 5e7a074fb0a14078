/**
 * Goal: an import accepts what an export writes and more, within bounds, and names a bad line. Method: byte streams cut at every
 * place, imported into a plain list.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { Document } from '../../database/index.ts';
import { collect } from '../../database/test-database.ts';
import { exportDocuments, type ImportOptions, importDocuments, readLines } from './index.ts';

async function* chunks(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function runImport(text: string | Uint8Array, more: Partial<ImportOptions> = {}) {
  const batches: (readonly [string, Document])[][] = [];
  const putMany = async (documents: Iterable<readonly [string, Document]>) => void batches.push([...documents]);
  const imported = await importDocuments(chunks(text, 1000), { putMany }, { limits: LIMITS, ...more });
  return { imported, batches, all: batches.flat() };
}

test('lines are read whole wherever the stream is cut, with LF or CRLF, and empty ones are skipped', async () => {
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

test('an import restores exactly what was exported', async () => {
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

test('documents of other origin have their key in a named field or in one of the usual ones', async () => {
  assert.deepEqual((await runImport('{"id":7,"name":"x"}\n{"_id":"a","id":"b"}')).all, [
    ['7', { id: 7, name: 'x' }],
    ['a', { _id: 'a', id: 'b' }],
  ]);
  assert.deepEqual((await runImport('{"sku":"a","value":{}}', { keyField: 'sku' })).all, [
    ['a', { sku: 'a', value: {} }],
  ]);
});

test('a document with fields key, value and others is not mistaken for an exported line', async () => {
  assert.deepEqual((await runImport('{"key":"a","value":{},"x":1}')).all, [['a', { key: 'a', value: {}, x: 1 }]]);
});

const bad: [name: string, line: string | Uint8Array, reason: string, message: RegExp][] = [
  ['no JSON', '{"id":1', 'INVALID_DOCUMENT', /^line 2 is not JSON \(Expected .* at position 7\); correct/],
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

test('bad lines can be left out and reported', async () => {
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

test('an import restores exactly what was exported as a table, whatever the values are', async () => {
  const documents: [string, Document][] = [
    ['a', { name: 'plain', count: 3, price: -1.5e-7, yes: true, none: null, list: [1, 'x'], object: { b: { c: '' } } }],
    [
      'b,"quoted"',
      { name: ' blank at the ends ', zip: '01234', number: '12', word: 'true', nothing: 'null', empty: '' },
    ],
    ['c\nline', { name: 'two\r\nlines', json: '{"a":1}', broken: '{not json', long: '12345678901234567890' }],
    ['d', {}],
    ['f', { large: 2 ** 53, larger: -(2 ** 60), largest: 1e308, text: '9007199254740992', id: '9007199254740993' }],
    ['e', { formula: '=1+1', semicolon: 'a;b', tab: 'a\tb', emoji: '😀', quote: '"x"', half: '"x' }],
  ];
  const entries = async function* () {
    yield* documents;
  };
  for (const delimiter of [',', ';', '\t', '|'] as const) {
    const text = (await collect(exportDocuments({ entries }, { format: 'csv', delimiter }))).join('');
    for (const size of [1, 7, 1000]) {
      const batches: (readonly [string, Document])[] = [];
      const putMany = async (some: Iterable<readonly [string, Document]>) => void batches.push(...some);
      await importDocuments(chunks(text, size), { putMany }, { limits: LIMITS, format: 'csv', delimiter });
      assert.deepEqual(batches, documents);
    }
  }
});

test('fields that every object inherits are in the table only if the document has them itself', async () => {
  const documents: [string, Document][] = [
    ['a', JSON.parse('{"constructor":1,"__proto__":{"x":1}}')],
    ['b', { toString: 'text' }],
    ['c', {}],
  ];
  const entries = async function* () {
    yield* documents;
  };
  const text = (await collect(exportDocuments({ entries }, { format: 'csv' }))).join('');
  assert.deepEqual((await runImport(text, { format: 'csv' })).all, documents);
});

test('a table of other origin is read: byte order mark, line ends, types, and a key column', async () => {
  const table = '\uFEFFsku;name;price;stock\r\n007;Lager, 0.5 l;1,5;12\r\n\r\n8;"a ""b""";2.5;\r\n';
  const read = { format: 'csv', delimiter: ';', keyField: 'sku' } as const;
  assert.deepEqual((await runImport(table, read)).all, [
    ['007', { sku: '007', name: 'Lager, 0.5 l', price: '1,5', stock: 12 }],
    ['8', { sku: 8, name: 'a "b"', price: 2.5 }],
  ]);
  assert.deepEqual((await runImport(table, { ...read, isAllText: true })).all[1], [
    '8',
    { sku: '8', name: 'a "b"', price: '2.5' },
  ]);
});

const badTables: [name: string, table: string | Uint8Array, reason: string, message: RegExp][] = [
  ['a record with too few cells', 'id,a\n1,2\n3\n', 'INVALID_DOCUMENT', /^line 3: has 1 cells .* 2 columns/],
  ['a record without a key', '_key,a\nx,1\n,2\n', 'INVALID_NAME', /^line 3: the document key/],
  ['a quote that is never closed', 'id,a\n1,2\n3,"x\n', 'INVALID_DOCUMENT', /^line \d: .*Quote/],
  ['a quote in the middle', 'id,a\n1,2\n3,x"y\n', 'INVALID_DOCUMENT', /^line 3: /],
  ['too large a record', `id,a\n1,2\n3,"${'x'.repeat(1_100_000)}"\n`, 'DOCUMENT_TOO_LARGE', /^the record at line/],
  ['one name twice', 'id,a,a\n1,2,3\n', 'INVALID_DOCUMENT', /^line 1: two columns are named "a"/],
  [
    'another sign than a comma',
    'id;a\n1;2\n',
    'INVALID_DOCUMENT',
    /^line 1: no column is named _id or id or _key or key; the columns are "id;a"; .*--delimiter/,
  ],
  ['a column without a name', 'id,\n1,2\n', 'INVALID_DOCUMENT', /^line 1: column 2 has no name/],
  ['no UTF-8', Buffer.from([0x69, 0x64, 0x0a, 0xff, 0x0a]), 'INVALID_DOCUMENT', /^the file is not UTF-8/],
];
for (const [name, table, reason, message] of badTables) {
  test(`a table with ${name} is refused, saying so`, async () => {
    await assert.rejects(runImport(table, { format: 'csv' }), (error: Error) => {
      assert.ok(isEntglDbError(error), String(error));
      assert.equal(error.reason, reason);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('an interrupted import continues after the line of its last progress, and misses nothing', async () => {
  const ndjson = Array.from({ length: 2500 }, (_, i) => JSON.stringify({ id: i })).join('\n');
  const csv = `id\n${Array.from({ length: 2500 }, (_, i) => i).join('\n')}`;
  for (const [format, text] of [['ndjson', ndjson] as const, ['csv', csv] as const]) {
    const controller = new AbortController();
    let line = 0;
    const cut = runImport(text, {
      format,
      signal: controller.signal,
      onProgress: (progress) => {
        line = progress.line;
        controller.abort(new Error('cut'));
      },
    });
    await assert.rejects(cut, /cut/);
    const { all } = await runImport(text, { format, afterLine: line });
    assert.deepEqual(
      all.map(([key]) => key),
      Array.from({ length: 1500 }, (_, i) => `${i + 1000}`),
    );
  }
});

test('an interrupted export continues after a key, and both parts make one file', async () => {
  const documents: [string, Document][] = Array.from({ length: 3000 }, (_, i) => [
    `k${String(i).padStart(5, '0')}`,
    { i, pad: 'x'.repeat(50) },
  ]);
  const entries = async function* ({ after = '' }: { readonly after?: string }) {
    yield* documents.filter(([key]) => key > after);
  };
  for (const format of ['ndjson', 'csv'] as const) {
    const whole = (await collect(exportDocuments({ entries }, { format }))).join('');
    let part = '';
    let after: string | undefined;
    let marked = '';
    for await (const chunk of exportDocuments({ entries }, { format, onProgress: ({ key }) => (after = key) })) {
      marked = part;
      part += chunk;
      if (part.length > 150_000) break;
    }
    const columns = ['i', 'pad'];
    const rest = (await collect(exportDocuments({ entries }, { format, columns, after }))).join('');
    assert.equal(marked + rest, whole);
  }
});

test('an exported line may carry versions, which an import ignores', async () => {
  const line = '{"key":"a","value":{"x":1},"versions":[{"dot":"r:1","value":{"x":1}}]}';
  assert.deepEqual((await runImport(line)).all, [['a', { x: 1 }]]);
});
