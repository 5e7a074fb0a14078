/**
 * Goal: `blob`, `index` and `history` do what their help says, with and without a running node. Method: whole command lines in
 * this process, on real database files; `start` really listens.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../core/logging/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { loadConfig } from '../config/index.ts';
import { openNode } from '../open-node.ts';
import { createTestShell } from './test-shell.ts';

const { folder, begin, cli } = createTestShell();

for (const isRunning of [false, true]) {
  test(`blobs, indexes and history work ${isRunning ? 'over HTTP' : 'in the file'}`, async () => {
    const node = isRunning ? begin(['start', '--no-discovery']) : undefined;
    await node?.ready;
    await cli('put', 'users', 'user0', '{}');
    assert.equal((await cli('blob', 'list', '--json')).out, '{"blobs":[]}\n');
    const bytes = Buffer.from(createSeededRandom(3).bytes(700_000));
    await writeFile(join(folder(), 'photo'), bytes);
    const ref = JSON.parse((await cli('blob', 'put', 'photo', '--type', 'image/png')).out);
    assert.deepEqual([ref.size, ref.type], [bytes.length, 'image/png']);
    assert.equal((await cli('blob', 'get', JSON.stringify(ref), 'copy')).code, 0);
    assert.deepEqual(await readFile(join(folder(), 'copy')), bytes);
    assert.equal((await begin(['blob', 'put', '-'], 'typed').done).code, 0);
    const { blobs } = JSON.parse((await cli('blob', 'list', '--json')).out);
    assert.equal(blobs.length, 2);
    assert.ok(JSON.stringify(blobs).includes(JSON.stringify({ $blob: ref.$blob, size: bytes.length })));
    assert.equal((await cli('blob', 'get', '0'.repeat(64))).code, 1);
    assert.equal((await cli('blob', 'get', '0'.repeat(64), 'none')).code, 1);
    assert.deepEqual(JSON.parse((await cli('blob', 'collect', '--json')).out), { blobs: 0, bytes: 0, waiting: 2 });
    assert.match(
      (await cli('blob', 'collect')).out,
      /; 2 blobs without a reference wait until 7 days have passed\.\n$/,
    );

    await cli('put', 'users', 'user1', '{"age":31}');
    assert.equal((await cli('index', 'list', 'users')).out, 'No indexes on users.\n');
    assert.equal((await cli('index', 'add', 'users', 'age')).out, 'Index age on users is ready.\n');
    assert.match((await cli('index', 'list', 'users')).out, /^NAME +ON +STATE\nage +age +ready\n$/);
    assert.match((await cli('find', 'users', '{"age":31}', '--explain')).out, /^Reads index "age"/);
    assert.equal((await cli('index', 'remove', 'users', 'age')).code, 0);
    assert.equal((await cli('index', 'remove', 'users', 'age')).code, 1);

    assert.match((await cli('history', 'users', 'user1')).out, /^FROM +UNTIL +BY +DOCUMENT\n.* now .*\{"age":31\}\n$/);
    assert.equal((await cli('history', 'users', 'nobody')).code, 1);
    assert.equal((await cli('history', 'users', 'user1', '--undo')).code, 1, 'nobody kept what it was');
    node?.stop();
    if (node !== undefined) assert.equal((await node.done).code, 0);
  });
}

test('documents go back to earlier values if a program keeps their history', async () => {
  {
    const config = await loadConfig({ workingDirectory: folder(), environment: {} });
    const node = await openNode({ config, clusterTokens: [], logger: silentLogger, network: false });
    const users = node.database.collection<{ n: number }>('users', { history: {} });
    for (const n of [1, 2, 3]) await users.put('user1', { n });
    await node.close();
  }
  const { entries } = JSON.parse((await cli('history', 'users', 'user1', '--json')).out);
  assert.deepEqual(
    entries.map(({ value }: { value: object }) => value),
    [{ n: 3 }, { n: 2 }, { n: 1 }, null],
  );
  assert.equal((await cli('history', 'users', 'user1', '--undo')).code, 0);
  assert.deepEqual(JSON.parse((await cli('get', 'users', 'user1', '--json')).out), { n: 2 });
  const first = new Date(entries[2].since).toISOString();
  assert.equal((await cli('history', 'users', 'user1', '--undo', '--to', first)).code, 0);
  assert.deepEqual(JSON.parse((await cli('get', 'users', 'user1', '--json')).out), { n: 1 });
});
