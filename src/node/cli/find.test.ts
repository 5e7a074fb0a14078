/**
 * Goal: whatever `find` prints, it prints once and in order. Method: more documents than it reads at a time, in the file and over HTTP.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createTestShell } from './test-shell.ts';

const { begin, cli, folder } = createTestShell();
const COUNT = 21_000;
const key = (i: number): string => `k${String(i).padStart(5, '0')}`;

test('a key with control characters is printed with their codes, and with --json as it is', async () => {
  assert.equal(
    (await cli('put', 'things', 'a\u001b[31m\nb', '{"x":1}')).out,
    'Stored a\\u001b[31m\\u000ab in things.\n',
  );
  assert.equal((await cli('find', 'things')).out, 'a\\u001b[31m\\u000ab  {"x":1}\n');
  assert.equal(JSON.parse((await cli('find', 'things', '--json')).out)[0].key, 'a\u001b[31m\nb');
  assert.match((await cli('delete', 'things', 'a\u001b[31m\nb')).out, /^Deleted a\\u001b/);
});

test('a put at a terminal says that it waits for the document', async () => {
  const stdin = Object.assign(PassThrough.from([Buffer.from('{"x":1}')]), { isTTY: true });
  const { code, err } = await begin(['put', 'things', 'k'], stdin).done;
  assert.equal(code, 0);
  assert.match(err, /^type the document as JSON, and end with Ctrl\+D/);
  assert.equal((await begin(['put', 'things', 'k'], '{"x":2}').done).err, '');
});

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
