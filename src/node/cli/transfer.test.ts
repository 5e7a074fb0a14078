/**
 * Goal: `import` and `export` support CSV, carry versions on request, and resume where they were interrupted, with and without
 * a running node. Method: command lines in this process, files in a folder of each test's own.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandStopped, exitCodeOf } from './exit-code.ts';
import { ExportFile } from './export-file.ts';
import { createTestShell } from './test-shell.ts';

const { begin, cli, folder } = createTestShell();
const inFolder = (name: string): string => join(folder(), name);

for (const isRunning of [false, true]) {
  const where = isRunning ? 'over HTTP' : 'in the file';

  test(`a table is imported and exported again ${where}`, async () => {
    const node = isRunning ? begin(['start', '--no-discovery']) : undefined;
    await node?.ready;
    await writeFile(inFolder('articles.csv'), 'sku;name;stock\n007;"Lager; hell";12\n8;Pils;\n');
    const imported = await cli('import', 'articles', 'articles.csv', '--key-field', 'sku', '--delimiter', ';');
    assert.equal(imported.err, '');
    assert.match(imported.out, /^Imported 2 documents into articles \(/);
    assert.deepEqual(JSON.parse((await cli('get', 'articles', '007', '--json')).out), {
      sku: '007',
      name: 'Lager; hell',
      stock: 12,
    });
    assert.equal((await cli('export', 'articles', 'out.csv', '--columns', 'name,stock')).code, 0);
    assert.equal(await readFile(inFolder('out.csv'), 'utf8'), '_key,name,stock\r\n007,Lager; hell,12\r\n8,Pils,\r\n');
    node?.stop();
    await node?.done;
  });

  test(`versions are exported with the documents on request ${where}, and can be imported again`, async () => {
    const node = isRunning ? begin(['start', '--no-discovery', '--node-id', 'till-1']) : undefined;
    await node?.ready;
    await cli('put', 'users', 'a', '{"name":"Alice"}');
    const { out } = await cli('export', 'users', '--versions', '--json');
    const { key, value, versions } = JSON.parse(out);
    assert.deepEqual([key, value], ['a', { name: 'Alice' }]);
    assert.equal(versions.length, 1);
    assert.deepEqual(versions[0].value, { name: 'Alice' });
    assert.match(versions[0].dot, /./);
    if (isRunning) assert.equal(versions[0].node, 'till-1');
    assert.match((await begin(['import', 'others', '-'], out).done).out, /^Imported 1 document into others/);
    assert.deepEqual(JSON.parse((await cli('get', 'others', 'a', '--json')).out), { name: 'Alice' });
    node?.stop();
    await node?.done;
  });
}

test('an import that ended at a bad line resumes after what it wrote', async () => {
  const good = Array.from({ length: 1500 }, (_, i) => JSON.stringify({ id: i }));
  await writeFile(inFolder('in.ndjson'), [...good, 'x', ''].join('\n'));
  assert.equal((await cli('import', 'things', 'in.ndjson', '--resume')).code, 2);
  assert.deepEqual((await readdir(folder())).includes('in.ndjson.import'), true);
  const again = await cli('import', 'things', 'in.ndjson', '--resume', '--skip-bad', '--json');
  assert.deepEqual([JSON.parse(again.out).imported, JSON.parse(again.out).afterLine], [500, 1000]);
  assert.equal((await cli('count', 'things')).out.trim(), '1500');
  assert.deepEqual((await readdir(folder())).includes('in.ndjson.import'), false);
});

test('an import of a file that was changed meanwhile restarts at its first line', async () => {
  const good = Array.from({ length: 1500 }, (_, i) => JSON.stringify({ id: i }));
  await writeFile(inFolder('in.ndjson'), [...good, 'x', ''].join('\n'));
  await cli('import', 'things', 'in.ndjson', '--resume');
  await writeFile(inFolder('in.ndjson'), [...good, ''].join('\n'));
  assert.equal(JSON.parse((await cli('import', 'things', 'in.ndjson', '--resume', '--json')).out).imported, 1500);
});

test('an import into another database, or read in another way, restarts at its first line', async () => {
  const good = Array.from({ length: 1500 }, (_, i) => JSON.stringify({ id: i, sku: `s${i}` }));
  await writeFile(inFolder('in.ndjson'), [...good, 'x', ''].join('\n'));
  for (const others of [
    ['--data', 'other'],
    ['--key-field', 'sku'],
  ]) {
    assert.equal((await cli('import', 'things', 'in.ndjson', '--resume')).code, 2);
    const { out } = await cli('import', 'things', 'in.ndjson', '--resume', '--skip-bad', '--json', ...others);
    assert.deepEqual([JSON.parse(out).imported, JSON.parse(out).afterLine], [1500, 0]);
  }
});

test('an import whose mark cannot be written says so and what is there', async () => {
  const lines = Array.from({ length: 9000 }, (_, id) => JSON.stringify({ id, pad: 'x'.repeat(300) }));
  await writeFile(inFolder('in.ndjson'), lines.join('\n'));
  await mkdir(inFolder('in.ndjson.import.new'));
  const { code, err } = await cli('import', 'things', 'in.ndjson', '--resume');
  assert.equal(code, 3);
  const [, count] =
    /^entgldb: .*in\.ndjson\.import: it is a folder; .*; ([\d,]+) documents before it were imported; .*\n$/.exec(err)!;
  assert.equal((await cli('count', 'things')).out, `${count!.replace(',', '')}\n`);
});

/** Fills the collection `things`, and stops an export of it that has left a mark. Resolves with the lines of the whole. */
async function cutExport(): Promise<readonly string[]> {
  const lines = Array.from(
    { length: 9000 },
    (_, i) => `{"key":"k${String(i).padStart(4, '0')}","value":{"pad":"${'x'.repeat(900)}"}}`,
  );
  await writeFile(inFolder('in.ndjson'), `${lines.join('\n')}\n`);
  await cli('import', 'things', 'in.ndjson');
  const started = begin(['export', 'things', 'out.ndjson', '--resume']);
  while (!(await readdir(folder())).includes('out.ndjson.part.mark')) await new Promise(setImmediate);
  started.stop('SIGINT');
  assert.match((await started.done).err, /run it again with --resume to go on/);
  return lines;
}

test('an export resumes after its mark, and the file is the same as without interruption', async () => {
  const lines = await cutExport();
  const { exported } = JSON.parse((await cli('export', 'things', 'out.ndjson', '--resume', '--json')).out);
  assert.ok(exported > 0 && exported < lines.length, `${exported} were exported after the mark`);
  assert.equal(await readFile(inFolder('out.ndjson'), 'utf8'), await readFile(inFolder('in.ndjson'), 'utf8'));
  assert.deepEqual(
    (await readdir(folder())).filter((name) => name.includes('.part')),
    [],
  );
});

test('an export of anything else begins anew', async () => {
  await cutExport();
  await cli('put', 'others', 'a', '{"n":1}');
  assert.equal((await cli('export', 'others', 'out.ndjson', '--resume')).code, 0);
  assert.equal(await readFile(inFolder('out.ndjson'), 'utf8'), '{"key":"a","value":{"n":1}}\n');
});

test('a mark is gone once an export that does not resume has begun', async () => {
  await cutExport();
  const stop = new AbortController();
  const file = await ExportFile.open(inFolder('out.ndjson'), { resumable: null, signal: stop.signal });
  assert.equal((await readdir(folder())).includes('out.ndjson.part.mark'), false);
  await file.giveUp(new Error('given up'));
});

test('a stop in the middle of an export leaves nothing behind, or what --resume goes on with', async () => {
  for (const isResumable of [false, true]) {
    const stop = new AbortController();
    const file = await ExportFile.open(inFolder('out.ndjson'), {
      resumable: isResumable ? 'all' : null,
      signal: stop.signal,
    });
    await file.write('{"key":"a","value":{}}\n');
    stop.abort(new CommandStopped('SIGINT', 'stopped'));
    const error = await file.write('{"key":"b","value":{}}\n').catch((thrown: unknown) => file.giveUp(thrown));
    const hint = isResumable ? 'run it again with --resume to go on' : 'nothing was left behind';
    assert.match(String(error), new RegExp(`stopped before .*out.ndjson was complete; ${hint}`));
    assert.equal(exitCodeOf(error), 130);
    assert.deepEqual(await readdir(folder()), isResumable ? ['out.ndjson.part'] : []);
  }
});

test('a second export to a file that is just being exported is refused, and leaves the first one alone', async () => {
  await cli('put', 'things', 'a', '{"n":1}');
  const { signal } = new AbortController();
  for (const resumable of ['all', null]) {
    const first = await ExportFile.open(inFolder('out.ndjson'), { resumable, signal });
    await first.write('first\n');
    for (const resume of [[], ['--resume']]) {
      const { code, err } = await cli('export', 'things', 'out.ndjson', ...resume);
      assert.equal(code, 3);
      assert.match(err, /another command is writing .*out\.ndjson just now; wait for it, or name another file\n$/);
    }
    await first.finish();
    assert.equal(await readFile(inFolder('out.ndjson'), 'utf8'), 'first\n');
    assert.deepEqual(
      (await readdir(folder())).filter((name) => name.startsWith('out')),
      ['out.ndjson'],
    );
  }
});

test('an export that was killed keeps no other one out', async () => {
  await cli('put', 'things', 'a', '{"n":1}');
  for (const left of ['out.ndjson.part', 'out.ndjson.part.lock']) await writeFile(inFolder(left), '');
  assert.equal((await cli('export', 'things', 'out.ndjson')).code, 0);
  assert.deepEqual(
    (await readdir(folder())).filter((name) => name.startsWith('out')),
    ['out.ndjson'],
  );
});

const noPipes = process.platform === 'win32' && 'pipes have no names in folders there';
test('an export replaces neither a pipe nor a link', { skip: noPipes }, async () => {
  await cli('put', 'things', 'a', '{"n":1}');
  execFileSync('mkfifo', [inFolder('pipe')]);
  const refused = await cli('export', 'things', 'pipe');
  assert.equal(refused.code, 2);
  assert.match(refused.err, /pipe: it is a device or a pipe/);
  assert.ok((await lstat(inFolder('pipe'))).isFIFO());
  await writeFile(inFolder('old.ndjson'), 'old');
  await symlink(inFolder('old.ndjson'), inFolder('link.ndjson'));
  assert.equal((await cli('export', 'things', 'link.ndjson')).code, 0);
  assert.ok((await lstat(inFolder('link.ndjson'))).isSymbolicLink());
  assert.equal(await readFile(inFolder('old.ndjson'), 'utf8'), '{"key":"a","value":{"n":1}}\n');
  await symlink(inFolder('unmounted/out.ndjson'), inFolder('nowhere.ndjson'));
  const unmounted = await cli('export', 'things', 'nowhere.ndjson');
  assert.equal(unmounted.code, 2);
  assert.match(unmounted.err, /nowhere\.ndjson: it is a link to something that is not there; is its disk mounted\?\n$/);
  assert.ok((await lstat(inFolder('nowhere.ndjson'))).isSymbolicLink());
});

test('wrong options are reported before anything is opened', async () => {
  for (const [args, message] of [
    [['export', 'things', 'a.csv', '--versions'], /--versions needs NDJSON/],
    [['export', 'things', '--resume'], /--resume needs a file/],
    [['export', 'things', '--format', 'xml'], /--format "xml" is unknown; use csv or ndjson/],
    [['import', 'things', 'a.csv', '--delimiter', 'x'], /--delimiter "x" is unknown/],
  ] as const) {
    const { code, err } = await cli(...args);
    assert.equal(code, 2, err);
    assert.match(err, message);
  }
  assert.deepEqual(await readdir(folder()), []);
});
