/** Goal: texts that people read and type are right in edge cases. Method: tables of inputs and outputs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConfigurationError,
  DatabaseCorruptionError,
  DocumentNotFoundError,
  NetworkError,
  PersistenceError,
} from '../../core/errors/index.ts';
import { exitCodeOf } from './exit-code.ts';
import {
  formatAddress,
  formatAgo,
  formatBytes,
  formatDuration,
  formatFields,
  formatTable,
  plural,
  printable,
} from './format.ts';
import { parseJsonObject, parseSort, parseWhole } from './parse-argument.ts';

test('numbers, sizes and times are formatted for people', () => {
  assert.equal(plural(1, 'document'), '1 document');
  assert.equal(plural(1_234_567, 'document'), '1,234,567 documents');
  assert.deepEqual([0, 1023, 1024, 1_572_864, 5e15].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 MiB',
    '4547 TiB',
  ]);
  assert.deepEqual([0, 999, 59_400, 60_000, 7_200_000, 90_000_000].map(formatDuration), [
    '0 seconds',
    '1 second',
    '59 seconds',
    '1 minute',
    '2 hours',
    '1 day',
  ]);
  assert.deepEqual(
    [formatAgo(null, 5), formatAgo(0, 999), formatAgo(0, 5000), formatAgo(10, 5)],
    ['never', 'just now', '5 seconds ago', 'just now'],
  );
});

test('an IPv6 address is written in brackets', () => {
  assert.equal(formatAddress({ host: '::', port: 1 }), '[::]:1');
  assert.equal(formatAddress({ host: 'till', port: 1 }), 'till:1');
});

test('control characters in keys and documents do not reach the terminal', () => {
  assert.equal(printable('a\u001b[31m\u009b\n\u007f ä😀'), 'a\\u001b[31m\\u009b\\u000a\\u007f ä😀');
  assert.equal(formatTable(['A'], [['x\u001dy']]), 'A\nx\\u001dy');
});

test('tables and fields are aligned, without trailing blanks', () => {
  assert.equal(
    formatTable(
      ['A', 'LONG'],
      [
        ['wide', 'x'],
        ['y', ''],
      ],
    ),
    'A     LONG\nwide  x\ny',
  );
  assert.equal(
    formatFields([
      ['a', '1'],
      ['long', ''],
    ]),
    'a     1\nlong',
  );
});

test('a sort is given as field names or as JSON, and keeps their order', () => {
  assert.deepEqual(Object.entries(parseSort('-age,name')), [
    ['age', -1],
    ['name', 1],
  ]);
  assert.deepEqual(Object.entries(parseSort('{"b":1,"a":-1}')), [
    ['b', 1],
    ['a', -1],
  ]);
  for (const bad of ['', '-', 'a,,b', '{"a":2}', '{a']) assert.throws(() => parseSort(bad), ConfigurationError);
});

test('an argument that must be an object or a whole number and is not is refused in one sentence', () => {
  for (const bad of ['{x', '[1]', '1', 'null', '""']) {
    assert.throws(
      () => parseJsonObject(bad, 'the document'),
      (error: Error) => !error.message.includes('\n') && error instanceof ConfigurationError,
    );
  }
  assert.equal(parseWhole('20', '--limit', 1), 20);
  for (const bad of ['0', '-1', '1.5', 'x', '', '99999999999999999999'])
    assert.throws(() => parseWhole(bad, '--limit', 1), ConfigurationError);
});

test('errors map to the exit codes for no, wrong usage, and unreachable', () => {
  assert.equal(exitCodeOf(new DocumentNotFoundError('c', 'k')), 1);
  assert.equal(exitCodeOf(new DatabaseCorruptionError('x')), 1);
  assert.equal(exitCodeOf(new ConfigurationError('OPTION_INVALID', 'x')), 2);
  assert.equal(exitCodeOf(new PersistenceError('INVALID_DOCUMENT', 'x')), 2);
  assert.equal(exitCodeOf(new NetworkError('NODE_UNREACHABLE', 'x')), 3);
  assert.equal(exitCodeOf(new PersistenceError('DATABASE_LOCKED', 'x')), 3);
  assert.equal(exitCodeOf(new TypeError('a defect')), 3);
});
