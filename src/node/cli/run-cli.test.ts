/**
 * Goal: commands do what their help says, with the right exit code, for people and for programs, with and without a running
 * node. Method: whole command lines in this process, with the test's own streams, on real database files; `start` really listens.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { OpenNode } from '../node-api.ts';
import { nodeFilePath, readNodeFile, writeNodeFile } from '../node-file.ts';
import { openNode } from '../open-node.ts';
import { createTestShell, type Started } from './test-shell.ts';

const { folder, begin, cli } = createTestShell();

describe('documents', () => {
  /** The same commands must give the same results on the file and on a running node. */
  for (const isRunning of [false, true]) {
    test(`are put, read, found, counted and deleted ${isRunning ? 'over HTTP' : 'in the file'}`, async () => {
      const node = isRunning ? begin(['start', '--no-discovery']) : undefined;
      await node?.ready;

      assert.deepEqual(await cli('put', 'users', 'user1', '{"name":"Alice","age":31}'), {
        code: 0,
        out: 'Stored user1 in users.\n',
        err: '',
      });
      const piped = begin(['put', 'users', 'user/2', '-', '--json'], '{"name":"Bob","age":17}');
      assert.deepEqual(JSON.parse((await piped.done).out), { collection: 'users', key: 'user/2', stored: true });

      const read = await cli('get', 'users', 'user/2', '--json');
      assert.equal(read.out, '{"name":"Bob","age":17}\n');
      const missing = await cli('get', 'users', 'nobody');
      assert.equal(missing.code, 1);
      assert.match(missing.err, /^entgldb: there is no document "nobody" in collection "users"\n$/);

      assert.equal((await cli('count', 'users')).out, '2\n');
      assert.equal(
        (await cli('count', 'users', '{"age":{"$gte":18}}', '--json')).out,
        '{"collection":"users","count":1}\n',
      );
      const sorted = await cli('find', 'users', '--sort', '-age', '--limit', '1', '--json');
      assert.deepEqual(JSON.parse(sorted.out), [{ key: 'user1', value: { name: 'Alice', age: 31 } }]);
      const people = await cli('find', 'users', '{}', '--sort=age');
      assert.match(people.out, /^user\/2 {2}\{"name":"Bob","age":17\}\nuser1 /);
      assert.equal((await cli('find', 'users', '{"age":{"$near":1}}')).code, 2);
      const first = await cli('find', 'users', '--sort=age', '--limit=1', '--fields', 'age');
      assert.match(first.out, /^user\/2 {2}\{"age":17\}\n$/);
      const [, token = ''] = /--after (\S+)/.exec(first.err) ?? [];
      assert.match((await cli('find', 'users', '--sort=age', '--after', token)).out, /^user1 /);
      const plan = await cli('find', 'users', '{"age":17}', '--explain');
      assert.equal(
        plan.out,
        'Looks at every document of the collection: about 2 documents, each held against the filter, in order of keys.\n',
      );

      assert.equal((await cli('delete', 'users', 'user1')).code, 0);
      assert.equal((await cli('delete', 'users', 'user1')).code, 1);

      node?.stop();
      if (node !== undefined) assert.equal((await node.done).code, 0);
    });

    test(`are imported and exported ${isRunning ? 'over HTTP' : 'in the file'}, and a bad line is named`, async () => {
      const node = isRunning ? begin(['start', '--no-discovery']) : undefined;
      await node?.ready;
      const lines = Array.from({ length: 2500 }, (_, i) =>
        JSON.stringify({ key: `k${String(i).padStart(4, '0')}`, value: { i } }),
      );
      await writeFile(join(folder(), 'in.ndjson'), `${lines.join('\n')}\n`);

      const imported = await cli('import', 'things', 'in.ndjson');
      assert.match(imported.out, /^Imported 2,500 documents into things \(/);
      assert.equal(imported.err, '');
      assert.equal(
        (await cli('export', 'things', 'out.ndjson')).out,
        'Exported 2,500 documents of things to out.ndjson.\n',
      );
      assert.equal(await readFile(join(folder(), 'out.ndjson'), 'utf8'), `${lines.join('\n')}\n`);
      assert.equal((await cli('export', 'things', '--json')).out, `${lines.join('\n')}\n`);
      assert.equal((await cli('find', 'things', '--json')).out.match(/"key"/g)?.length, 2500);

      const bad = begin(['import', 'things', '-'], '{"id":1}\n{"name":"no key"}\n{"id":3}\n');
      const refused = await bad.done;
      assert.equal(refused.code, 2);
      assert.match(refused.err, /^entgldb: line 2: .*name the field that holds it\n$/);
      const rest = await begin(['import', 'others', '-', '--skip-bad', '--json'], '{"id":1}\nx\n{"id":3}\n').done;
      assert.equal(rest.code, 2);
      assert.match(rest.err, /line 2 is not JSON/);
      assert.equal(JSON.parse(rest.out).imported, 2);
      assert.equal(JSON.parse(rest.out).skipped, 1);

      node?.stop();
      await node?.done;
    });
  }

  test('are written by simultaneous commands, and while a node is starting', async () => {
    const keys = ['a', 'b', 'c'];
    const puts = await Promise.all(keys.map((key) => cli('put', 'users', key, '{}')));
    assert.deepEqual(
      puts.map(({ code, err }) => [code, err]),
      keys.map(() => [0, '']),
    );
    const early = cli('count', 'users');
    const node = begin(['start', '--no-discovery']);
    const late = cli('count', 'users');
    assert.deepEqual([(await early).out, (await late).out], ['3\n', '3\n']);
    await node.ready;
    node.stop();
    await node.done;
  });

  test('are not read from a database that does not exist, nor is one created', async () => {
    const answer = await cli('get', 'users', 'user1', '--data', 'nowhere');
    assert.equal(answer.code, 3);
    assert.match(answer.err, /^entgldb: there is no database .*nowhere.entgldb\.db; check --data and --config/);
    assert.deepEqual(await readdir(folder()), []);
  });
});

describe('a running node', () => {
  let own: string;
  let node: Started;
  before(async () => {
    own = await mkdtemp(join(tmpdir(), 'entgldb-cli-node-'));
    node = begin(['start', '--data', own, '--node-id', 'till-1', '--json']);
    await node.ready;
  });
  after(async () => {
    node.stop();
    await node.done;
    await rm(own, { recursive: true });
  });

  test('says in one line where it can be reached', async () => {
    const ready = JSON.parse(await node.ready);
    assert.equal(ready.nodeId, 'till-1');
    assert.equal(ready.pid, process.pid);
    assert.equal(ready.dataDirectory, own);
    assert.ok(ready.http.port > 0);
  });

  test('is found by its data directory, through a file that only its owner can read', async () => {
    const path = nodeFilePath(join(own, 'entgldb.db'));
    if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600);
    const { secret } = (await readNodeFile(join(own, 'entgldb.db')))!;
    assert.match(secret, /^[0-9a-f]{32}$/);
    const { out } = await cli('status', '--data', own, '--json');
    assert.equal(JSON.parse(out).isRunning, true);
    assert.ok(!out.includes(secret));
  });

  test('shows status, peers and health to people and to programs', async () => {
    assert.match((await cli('status', '--data', own)).out, /^Node +till-1\nState +running for .*\nDatabase /);
    assert.match((await cli('peers', '--data', own)).out, /^No peers yet/);
    assert.deepEqual(JSON.parse((await cli('peers', '--data', own, '--json')).out), { peers: [], refusals: [] });
    const health = await cli('health', '--data', own);
    assert.equal(health.code, 0);
    assert.match(health.out, /^Node +healthy\n/);
    assert.equal(JSON.parse((await cli('health', '--data', own, '--json')).out).isHealthy, true);
  });

  test('names the collections with the most writes that are only here, and counts the others', async () => {
    for (let i = 0; i < 7; i++) await cli('put', `c${i}`, 'k', '{}');
    await cli('put', 'c6', 'l', '{}');
    const line = /^Only here +(.*)$/m.exec((await cli('status')).out)?.[1];
    const one = ['c0', 'c1', 'c2', 'c3'].map((name) => `1 write in ${name}`).join(', ');
    assert.equal(line, `2 writes in c6, ${one} and more in 2 other collections`);
  });

  test('keeps a second node from its data, with exit code 3', async () => {
    const second = await cli('start', '--data', own, '--http-port', '0');
    assert.equal(second.code, 3);
    assert.equal(second.err.trimEnd().split('\n').at(-1)?.startsWith('entgldb: '), true, second.err);
  });
});

describe('starting and stopping', () => {
  test('a stopped node leaves no file behind, and its log says that it stopped', async () => {
    const node = begin(['start', '--data', 'till', '--node-id', 'till-1']);
    assert.match(await node.ready, /^Node till-1 is ready: .*http:\/\/127\.0\.0\.1:\d+, data /);
    node.stop();
    const { code, err } = await node.done;
    assert.equal(code, 0);
    assert.match(err, /"signal":"SIGTERM".*\n.*"msg":"stopped"/s);
    assert.ok(!(await readdir(join(folder(), 'till'))).some((name) => name.endsWith('.node.json')));
  });

  test('an unhealthy node makes `health` exit with 1', async () => {
    const sick: OpenNode = async (options) => {
      const node = await openNode(options);
      const report = { ...(await node.health()), isHealthy: false, errors: ['the disk is full'] };
      return { ...node, health: async () => report };
    };
    const node = begin(['start', '--data', 'till', '--http-port', '0'], '', sick);
    await node.ready;
    const health = await cli('health', '--data', 'till');
    assert.equal(health.code, 1);
    assert.match(health.out, /NOT HEALTHY.*the disk is full/s);
    node.stop();
    await node.done;
  });

  test('a stop that hangs ends in time, with exit code 3', async () => {
    await writeFile(join(folder(), 'appsettings.json'), '{ "EntglDb": { "Health": { "ShutdownTimeoutMs": 1 } } }');
    let finish = async (): Promise<void> => {};
    const hanging: OpenNode = async (options) => {
      const node = await openNode(options);
      finish = () => node.close();
      return { ...node, close: () => new Promise(() => {}) };
    };
    const node = begin(['start', '--http-port', '0', '--config', 'appsettings.json'], '', hanging);
    await node.ready;
    // The timer that ends the wait does not keep the process alive; in a real process the hanging work would.
    const hold = setInterval(() => {}, 1000);
    node.stop();
    assert.equal((await node.done).code, 3);
    clearInterval(hold);
    // What still runs would otherwise write into a folder that is being removed.
    await finish();
  });

  test('a port in use is named, and the database is free again', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const refused = await cli('start', '--data', 'till', '--http-port', String(port));
    assert.equal(refused.code, 3);
    assert.match(refused.err, /HTTP port 127\.0\.0\.1:\d+ is in use; choose another with --http-port/);
    assert.equal((await cli('put', 'c', 'k', '{}', '--data', 'till')).code, 0);
    other.close();
  });

  test('a command that needs a running node waits for one that is starting, and says so if that takes long', async () => {
    const gate = Promise.withResolvers<void>();
    const slow: OpenNode = async (options) => {
      const node = await openNode(options);
      await gate.promise;
      return node;
    };
    await writeFile(join(folder(), 'appsettings.json'), '{ "EntglDb": { "Persistence": { "BusyTimeoutMs": 200 } } }');
    const node = begin(['start', '--no-discovery'], '', slow);
    const databaseFiles = async () => (await readdir(join(folder(), 'data')).catch(() => [])).join();
    while (!(await databaseFiles()).includes('entgldb.db.pid')) await new Promise(setImmediate);
    for (const command of ['health', 'peers']) {
      const { code, err } = await cli(command);
      assert.equal(code, 3);
      assert.match(
        err,
        /process \d+ has the database .* open and does not answer yet: a node that is starting/,
        command,
      );
    }
    assert.match((await cli('doctor')).out, /^WARNING node: process \d+ has .* a node that is starting/m);
    await writeFile(join(folder(), 'appsettings.json'), '{}');
    const waiting = cli('health');
    gate.resolve();
    assert.equal((await waiting).code, 0);
    await node.ready;
    node.stop();
    await node.done;
    assert.match((await cli('health')).err, /no node is running on/);
  });

  test('a node file left behind by a crash is not trusted, whoever listens there now', async () => {
    assert.equal((await cli('put', 'c', 'k', '{"a":1}', '--data', 'till')).code, 0);
    const stranger = createServer((socket) => socket.end('HTTP/1.1 401 no\r\n\r\n')).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as { port: number };
    for (const url of [`http://127.0.0.1:${port}`, 'http://127.0.0.1:1']) {
      const file = { pid: 1, nodeId: 'old', url, secret: 'x'.repeat(32) };
      await writeNodeFile(join(folder(), 'till', 'entgldb.db'), file);
      assert.equal((await cli('get', 'c', 'k', '--data', 'till', '--json')).out, '{"a":1}\n');
    }
    stranger.close();
  });
});

describe('the command line', () => {
  test('wrong usage is one line that ends with what to do, and exit code 2', async () => {
    const wrong = [
      ['pot'],
      ['put'],
      ['get', 'a', 'b', 'c'],
      ['get', '--nope', 'a', 'b'],
      ['put', 'a', 'b', '{x'],
      ['find', 'a', '--limit', 'x'],
    ];
    for (const args of wrong) {
      const { code, out, err } = await cli(...args);
      assert.equal(code, 2, args.join(' '));
      assert.equal(out, '');
      assert.match(err, /^entgldb: [^\n]+\n$/);
    }
    assert.match((await cli('pot')).err, /Did you mean put\?.*see `entgldb --help`/);
  });

  test('with --json errors are JSON too', async () => {
    for (const args of [
      ['get', 'a', '--json'],
      ['--json', 'start', '--tcp-port', '99999'],
      ['peers', '--json'],
    ]) {
      const { error } = JSON.parse((await cli(...args)).err);
      assert.deepEqual(Object.keys(error), ['code', 'reason', 'message', 'details']);
    }
  });

  test('every command has help with examples', async () => {
    const { out } = await cli('--help');
    const names = [...out.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1]!).filter((name) => name !== 'help');
    assert.ok(names.includes('start') && names.includes('find') && names.includes('backup'));
    for (const name of names) {
      const help = await cli(name, '--help');
      assert.equal(help.code, 0);
      assert.match(help.out, new RegExp(`Examples:\\n  \\$ entgldb ${name}`));
    }
    assert.deepEqual(await cli('--version'), { code: 0, out: '1.2.3\n', err: '' });
  });

  test('a command that needs a running node says so with exit code 3 if there is none', async () => {
    for (const command of ['peers', 'health']) {
      const { code, err } = await cli(command);
      assert.equal(code, 3);
      assert.match(err, /no node is running on .*; start one with `entgldb start`/);
    }
  });

  test('`init` and `config` agree, and no token is shown', async () => {
    assert.equal((await cli('init', '--data', 'till', '--node-id', 'till-7')).code, 0);
    assert.equal((await cli('init', '--data', 'till')).code, 2);
    const text = await readFile(join(folder(), 'till', 'appsettings.json'), 'utf8');
    const token = JSON.parse(text).EntglDb.Network.AuthToken;
    for (const args of [
      ['--data', 'till'],
      ['--config', 'till/appsettings.json'],
    ]) {
      const { code, out } = await cli('config', '--json', ...args);
      assert.equal(code, 0);
      assert.ok(!out.includes(token));
      const values = new Map(
        JSON.parse(out).values.map((line: { key: string; value: unknown }) => [line.key, line.value]),
      );
      assert.equal(values.get('NodeId'), 'till-7');
      assert.equal(values.get('Persistence.DatabasePath'), join(folder(), 'till', 'entgldb.db'));
    }
    assert.match((await cli('config', '--data', 'till')).out, /Network\.AuthToken +\*{8} /);
  });

  test('every command warns of a key that is misspelt, and answers all the same', async () => {
    await writeFile(join(folder(), 'appsettings.json'), '{"EntglDb":{"Persistence":{"DatabasPath":"x.db"}}}');
    const put = await cli('put', 'users', 'u1', '{}');
    assert.equal(put.code, 0);
    assert.match(
      put.err,
      /^entgldb: unknown key Persistence.DatabasPath in .*; did you mean Persistence.DatabasePath\?\n$/,
    );
    assert.equal((await cli('get', 'users', 'u1', '--json')).err, '');
    assert.match((await cli('restore', 'none.db')).err, /^entgldb: unknown key Persistence.DatabasPath/);
    const { out, err } = await cli('doctor');
    assert.match(out, /^WARNING configuration: unknown key Persistence.DatabasPath/m);
    assert.equal(err, '');
  });

  test('`init` tells the next command so that a shell takes it as it stands', async () => {
    assert.match((await cli('init')).out, /\nNext: entgldb start\n$/);
    const file = join(folder(), 'Müller & Söhne', 'appsettings.json');
    const { out } = await cli('init', '--data', 'Müller & Söhne');
    assert.ok(out.endsWith(`\nNext: entgldb start --config "${file}"\n`), out);
  });
});
