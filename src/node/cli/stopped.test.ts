/**
 * Goal: a command that is stopped, by Ctrl+C or by the system, says what came of its work, ends with the exit code of the signal, and
 * leaves nothing in the way of the next one. Method: command lines in this process that are stopped while they begin or work, beside
 * a running node and without one.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeNodeFile } from '../node-file.ts';
import { ANSWER_MS_MAX } from './http-client.ts';
import { createTestShell } from './test-shell.ts';

const { begin, cli, folder } = createTestShell();

const STATUS = '/api/v1/status';

const LONG_COMMANDS: readonly (readonly string[])[] = [
  ['backup', 'copy.db'],
  ['check'],
  ['compact'],
  ['count', 'things'],
  ['find', 'things'],
  ['export', 'things'],
  ['index', 'add', 'things', 'id'],
  ['blob', 'collect'],
  ['blob', 'list'],
];

/** Ends after the stop when it is read again. */
async function* linesThenNothing(count: number, stop: () => void): AsyncGenerator<Uint8Array> {
  yield Buffer.from(Array.from({ length: count }, (_, id) => `${JSON.stringify({ id })}\n`).join(''));
  stop();
  await new Promise(() => {});
}

test('every long command that is stopped says so, and the next one finds the database free', async () => {
  await cli('put', 'things', 'a', '{"id":1}');
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    for (const command of LONG_COMMANDS) {
      const started = begin(command);
      await started.stoppable;
      started.stop(signal);
      const expected = { code, out: '', err: 'entgldb: stopped before it was done\n' };
      assert.deepEqual(await started.done, expected, command.join(' '));
    }
  assert.equal((await cli('count', 'things')).out, '1\n');
});

/** A node that does not answer at this path, or at any but that of its status. Resolves `asked` when a command waits for it there. */
async function startHanging(t: TestContext, path?: string): Promise<{ readonly asked: () => Promise<void> }> {
  const databasePath = join(folder(), 'data', 'entgldb.db');
  let asked = Promise.withResolvers<void>();
  const server = createServer(({ url }, response) => {
    if (path === undefined ? url !== STATUS : url === path) asked.resolve();
    else response.end(JSON.stringify({ databasePath }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeNodeFile(databasePath, { pid: process.pid, nodeId: 'a', url, secret: 'x' });
  return {
    asked: () => {
      asked = Promise.withResolvers<void>();
      return asked.promise;
    },
  };
}

test('beside a running node it also says that the node may go on, and with --json it is an object', async (t) => {
  await cli('put', 'things', 'a', '{"id":1}');
  const node = await startHanging(t);
  for (const command of [...LONG_COMMANDS, ['get', 'things', 'a'], ['delete', 'things', 'a']]) {
    const asked = node.asked();
    const started = begin([...command, '--json']);
    await asked;
    started.stop('SIGINT');
    const { code, out, err } = await started.done;
    assert.deepEqual([code, out], [130, ''], command.join(' '));
    assert.deepEqual(JSON.parse(err), {
      error: {
        code: 'STOPPED',
        reason: 'STOPPED',
        message: 'stopped before it was done; the node may go on with it',
        details: { signal: 'SIGINT' },
      },
    });
  }
});

test('a command can be stopped while it asks whether a node runs', async (t) => {
  await cli('put', 'things', 'a', '{"id":1}');
  const asked = (await startHanging(t, STATUS)).asked();
  const started = begin(['get', 'things', 'a']);
  await asked;
  started.stop('SIGINT');
  assert.deepEqual(await started.done, { code: 130, out: '', err: 'entgldb: stopped before it was done\n' });
});

for (const isRunning of [false, true])
  test(`an import that is stopped ${isRunning ? 'over HTTP' : 'in the file'} says how many documents are there`, async () => {
    const node = isRunning ? begin(['start', '--no-discovery']) : undefined;
    await node?.ready;
    const started = begin(
      ['import', 'things', '-'],
      linesThenNothing(2500, () => started.stop('SIGINT')),
    );
    const hint = 'import the file again; with --resume, an import goes on where it was stopped';
    const err = `entgldb: stopped after 2,000 documents were imported; ${hint}\n`;
    assert.deepEqual(await started.done, { code: 130, out: '', err });
    assert.equal((await cli('count', 'things')).out, '2000\n');
    node?.stop();
    await node?.done;
  });

test('an import with --json and --resume that is stopped goes on where it was', async () => {
  const lines = Array.from({ length: 30_000 }, (_, id) => JSON.stringify({ id, pad: 'x'.repeat(300) }));
  await writeFile(join(folder(), 'in.ndjson'), lines.join('\n'));
  const started = begin(['import', 'things', 'in.ndjson', '--resume', '--json']);
  while (!(await readdir(folder())).includes('in.ndjson.import')) await new Promise(setImmediate);
  started.stop('SIGTERM');
  const { code, err } = await started.done;
  assert.equal(code, 143, err);
  const { reason, message, details } = JSON.parse(err).error;
  assert.deepEqual([reason, details.signal], ['STOPPED', 'SIGTERM']);
  assert.match(message, /^stopped after [\d,]+ documents were imported; run it again with --resume to go on there$/);
  assert.equal((await cli('count', 'things')).out, `${details.imported}\n`);
  const rest = JSON.parse((await cli('import', 'things', 'in.ndjson', '--resume', '--json')).out);
  assert.deepEqual([rest.afterLine, rest.imported], [details.imported, 30_000 - details.imported]);
});

test('an export that is stopped with --json says that it was stopped', async () => {
  const lines = Array.from({ length: 5000 }, (_, id) => JSON.stringify({ id, pad: 'x'.repeat(900) }));
  await writeFile(join(folder(), 'in.ndjson'), lines.join('\n'));
  await cli('import', 'things', 'in.ndjson');
  const toFile = begin(['export', 'things', 'out.ndjson', '--json']);
  while (!(await readdir(folder())).includes('out.ndjson.part')) await new Promise(setImmediate);
  toFile.stop('SIGINT');
  const stopped = await toFile.done;
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(
    JSON.parse(stopped.err).error.message,
    /^stopped before .*out\.ndjson was complete; nothing was left behind$/,
  );
  const toOutput = begin(['export', 'things', '--json']);
  await toOutput.ready;
  toOutput.stop('SIGINT');
  const { code, err } = await toOutput.done;
  assert.deepEqual([code, JSON.parse(err).error.reason], [130, 'STOPPED']);
  assert.deepEqual(
    (await readdir(folder())).filter((name) => name.startsWith('out')),
    [],
  );
});

test('a node that is stopped before it is ready ends in order, and the next one starts', async () => {
  const early = begin(['start', '--no-discovery', '--json']);
  await early.stoppable;
  early.stop();
  const { code, out, err } = await early.done;
  assert.deepEqual([code, out], [0, '']);
  assert.match(err, /"signal":"SIGTERM".*"msg":"stopped before the node was ready"/);
  const next = begin(['start', '--no-discovery', '--json']);
  await next.ready;
  next.stop();
  assert.equal((await next.done).code, 0);
});

test('a node that waits for the answer of another one on its database can be stopped', async (t) => {
  const owner = begin(['start', '--no-discovery', '--json']);
  await owner.ready;
  const asked = (await startHanging(t, STATUS)).asked();
  const started = begin(['start', '--no-discovery', '--json']);
  await asked;
  const stoppedAt = performance.now();
  started.stop();
  assert.equal((await started.done).code, 0);
  assert.ok(performance.now() - stoppedAt < ANSWER_MS_MAX / 2, 'it did not wait for the answer');
  owner.stop();
  await owner.done;
});

test('a restore that is stopped changes nothing', async () => {
  await writeFile(join(folder(), 'appsettings.json'), '{"EntglDb":{"Persistence":{"BackupPath":"backups"}}}');
  await cli('put', 'things', 'a', '{"id":1}');
  const { path } = JSON.parse((await cli('backup', '--json')).out);
  await cli('put', 'things', 'b', '{"id":2}');
  const started = begin(['restore', path]);
  await started.stoppable;
  started.stop('SIGINT');
  const err = 'entgldb: stopped while the backup was checked; nothing was changed\n';
  assert.deepEqual(await started.done, { code: 130, out: '', err });
  assert.equal((await cli('count', 'things')).out, '2\n');
});
