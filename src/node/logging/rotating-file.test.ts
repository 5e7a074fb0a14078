/** Goal: log files stay within their bounds, whatever is written and however often the program restarts. Method: real files. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RotatingFile } from './rotating-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entgldb-rotate-'));
});
afterEach(() => rm(folder, { recursive: true }));

function open(
  more: { bufferBytesMax?: number; filesMax?: number; onError?: (error: Error) => void } = {},
): RotatingFile {
  const onError = (error: Error): void => assert.fail(error);
  return new RotatingFile({
    path: join(folder, 'entgldb.log'),
    fileBytesMax: 1000,
    filesMax: 3,
    bufferBytesMax: 1e6,
    onError,
    ...more,
  });
}

test('a busy log stays within the size and number of files, keeps the newest lines, and continues after a restart', async () => {
  let last = 0;
  for (let start = 0; start < 3; start++) {
    const log = open();
    for (let i = 0; i < 200; i++) log.write(`${String(last++).padStart(50, '0')}\n`);
    await log.close();
  }
  const names = (await readdir(folder)).sort();
  assert.deepEqual(names, ['entgldb.1.log', 'entgldb.2.log', 'entgldb.log']);
  for (const name of names) assert.ok((await stat(join(folder, name))).size <= 1000);
  const text = await Promise.all(
    ['entgldb.2.log', 'entgldb.1.log', 'entgldb.log'].map((n) => readFile(join(folder, n), 'utf8')),
  );
  const numbers = text.join('').trimEnd().split('\n').map(Number);
  assert.equal(numbers.at(-1), last - 1);
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, i) => last - numbers.length + i),
  );
});

test('a single file is allowed', async () => {
  const log = open({ filesMax: 1 });
  for (let i = 0; i < 100; i++) log.write(`${'x'.repeat(99)}\n`);
  await log.close();
  assert.deepEqual(await readdir(folder), ['entgldb.log']);
});

test('lines beyond the buffer are dropped and counted', async () => {
  const log = open({ bufferBytesMax: 500 });
  for (let i = 0; i < 10; i++) log.write(`${'x'.repeat(99)}\n`);
  await log.close();
  const text = await readFile(join(folder, 'entgldb.log'), 'utf8');
  assert.match(text, /"dropped":5,/);
});

test('an unwritable path is reported once, and lines are written again once it is writable', async () => {
  const errors: Error[] = [];
  await mkdir(join(folder, 'entgldb.log'));
  const log = open({ onError: (error) => errors.push(error) });
  log.write('first\n');
  await log.close();
  log.write('second\n');
  await log.close();
  assert.equal(errors.length, 1);
  await rm(join(folder, 'entgldb.log'), { recursive: true });
  log.write('third\n');
  await log.close();
  assert.match(await readFile(join(folder, 'entgldb.log'), 'utf8'), /^third\n.*"dropped":2,/);
});

test('only the owner can read a log', {
  skip: process.platform === 'win32' && 'Windows has no modes of files',
}, async () => {
  const log = open();
  log.write('x\n');
  await log.close();
  assert.equal((await stat(join(folder, 'entgldb.log'))).mode & 0o777, 0o600);
});
