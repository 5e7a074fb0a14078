/**
 * Goal: docs/configuration.md says what the loader does. Method: its table is compared with the one generated from the keys; with
 * ENTGLDB_WRITE_DOCS=1 in the environment the file is updated first.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { configTable } from './index.ts';

const TABLE = /(?<=<!-- keys:.*?-->\n).*?(?=\n<!-- end of keys -->)/s;

test('the table of keys in docs/configuration.md is the one generated from the loader', async () => {
  const file = new URL('../../../docs/configuration.md', import.meta.url);
  const text = await readFile(file, 'utf8');
  if (process.env.ENTGLDB_WRITE_DOCS === '1')
    await writeFile(
      file,
      text.replace(TABLE, () => configTable()),
    );
  assert.equal(TABLE.exec(await readFile(file, 'utf8'))?.[0], configTable(), 'run this test with ENTGLDB_WRITE_DOCS=1');
});
