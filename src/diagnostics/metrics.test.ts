/**
 * Goal: docs/metrics.md lists exactly the existing metrics. Method: its table is compared with the one generated from their
 * definition; with ENTGLDB_WRITE_DOCS=1 in the environment the file is updated first.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { METRICS } from './index.ts';

const TABLE = /(?<=<!-- metrics:.*?-->\n).*?(?=<!-- end of metrics -->)/s;

function metricsTable(): string {
  const rows = Object.entries(METRICS).map(
    ([name, { type, labels, help }]) => `| \`${name}\` | ${type} | ${labels.join(', ') || '–'} | ${help} |\n`,
  );
  return `| metric | type | labels | meaning |\n|---|---|---|---|\n${rows.join('')}`;
}

test('the table in docs/metrics.md is the one generated from the metrics', async () => {
  const file = new URL('../../docs/metrics.md', import.meta.url);
  const text = await readFile(file, 'utf8');
  if (process.env.ENTGLDB_WRITE_DOCS === '1')
    await writeFile(
      file,
      text.replace(TABLE, () => metricsTable()),
    );
  assert.equal(
    TABLE.exec(await readFile(file, 'utf8'))?.[0],
    metricsTable(),
    'run this test with ENTGLDB_WRITE_DOCS=1',
  );
});
