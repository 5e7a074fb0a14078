/**
 * Goal: a query that looks at every document holds few of them in memory. Method: a database several times as large as the
 * heap of the process that asks; queries with a filter, a sort, a page and an index.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { makeFolder } from './node-process.ts';

// V8 may give up before it has swept: at 64 MB it did so once in fifteen runs, with 15 MB in use.
const HEAP_MB = 128;
const DOCUMENTS = 6000;
const CHARACTERS = 50_000;

const SRC = new URL('../../src/index.ts', import.meta.url).href;

/** The source that the other process runs. */
function program(databasePath: string): string {
  return `
    import { openDatabase } from ${JSON.stringify(SRC)};
    await using db = await openDatabase({ network: false, persistence: { databasePath: ${JSON.stringify(databasePath)} } });
    const notes = db.collection('notes', { indexes: ['n'] });
    const body = 'x'.repeat(${CHARACTERS});
    for (let n = 0; n < ${DOCUMENTS}; n += 20)
      await notes.putMany(Array.from({ length: 20 }, (_, i) => ['k' + (n + i), { n: n + i, body, 'odd"name': n + i }]));
    await notes.ensureIndex('n');
    const rare = { body: { $endsWith: 'y' } };
    const asked = [
      await notes.count(rare),
      (await notes.find(rare)).length,
      (await notes.find({ n: { $gte: 0 }, ...rare }, { sort: { n: -1 } })).length,
      await notes.count({ n: { $gte: 0 }, ...rare }),
      (await notes.find({}, { sort: { 'odd"name': -1 }, limit: 3 })).map(({ n }) => n).join(),
      (await notes.findPage({}, { sort: { body: 1 }, limit: 2 })).entries.length,
    ];
    console.log(asked.join(' '));
  `;
}

test(`a query of ${DOCUMENTS} documents of ${CHARACTERS} characters is answered with ${HEAP_MB} MB`, async (t) => {
  const folder = await makeFolder(t);
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${HEAP_MB}`, '--input-type=module', '-e', program(join(folder, 'notes.db'))],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  assert.equal(out, `0 0 0 0 ${DOCUMENTS - 1},${DOCUMENTS - 2},${DOCUMENTS - 3} 2\n`, err.slice(0, 2000));
});
