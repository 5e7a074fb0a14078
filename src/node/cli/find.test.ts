/**
 * Goal: whatever `find` prints, it prints once and in order. Method: more documents than it reads at a time, in the file and over HTTP.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestShell } from './test-shell.ts';

const { begin, cli, folder } = createTestShell();
const COUNT = 21_000;
const key = (i: number): string => `k${String(i).padStart(5, '0')}`;

for (const isRunning of [false, true])
  test(`find prints many documents page by page ${isRunning ? 'over HTTP' : 'from the file'}`, async () => {
    const lines = Array.from({ length: COUNT }, (_, i) => JSON.stringify({ key: key(i), value: { i } }));
    await writeFile(join(folder(), 'in.ndjson'), lines.join('\n'));
    await cli('import', 'things', 'in.ndjson');
    const node = isRunning ? begin(['start', '--no-discovery']) : undefined;
    await node?.ready;
    const all = await cli('find', 'things', '--json');
    assert.equal(all.out.indexOf('\n'), all.out.length - 1, 'one line of JSON');
    assert.deepEqual(
      JSON.parse(all.out).map((found: { key: string }) => found.key),
      lines.map((_, i) => key(i)),
    );
    const some = await cli('find', 'things', '--skip', '5', '--limit', '10500', '--fields', 'none');
    const shown = some.out.trimEnd().split('\n');
    assert.deepEqual([shown.length, shown[0], shown.at(-1)], [10_500, `${key(5)}  {}`, `${key(10_504)}  {}`]);
    const after = /^10,500 documents\nthere are more: --after (\S+)\n$/.exec(some.err)?.[1];
    assert.match((await cli('find', 'things', '--limit', '1', '--after', after!)).out, new RegExp(`^${key(10_505)} `));
    assert.deepEqual(JSON.parse((await cli('find', 'things', '--limit', '10505', '--json')).err), { next: after });
    assert.equal(all.err, '');
    assert.equal((await cli('find', 'nothing', '--json')).out, '[]\n');
    const unknown = /^this node has no collection "thingz"; `status` lists those that it has\n/;
    for (const command of ['find', 'count', 'export']) {
      const { code, err } = await cli(command, 'thingz');
      assert.equal(code, 0);
      assert.match(err, unknown);
    }
    assert.equal((await cli('find', 'things', '{"i":-1}')).err, '0 documents\n');
    node?.stop();
    await node?.done;
  });
