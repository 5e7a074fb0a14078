/** Goal: docs/configuration.md says what the loader does. Method: its table is compared with the one made from the keys. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { configTable } from './index.ts';

test('the table of keys in docs/configuration.md is the table of the loader', async () => {
  const text = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  const table = /<!-- keys:.*?-->\n(.*?)\n<!-- end of keys -->/s.exec(text)?.[1];
  assert.equal(table, configTable());
});
