/**
 * Goal: each wrong use of a command or option gives one clear sentence and exit code 2, and changes nothing. Method: a table that
 * must contain every command and every option in the help; each line is run beside an existing database.
 */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createTestShell } from './test-shell.ts';

const { begin, cli, folder } = createTestShell();

/** Wrong arguments of each command: too few, too many, and each option with a value that it does not take. */
const WRONG: Readonly<Record<string, readonly (readonly string[])[]>> = {
  start: [
    ['extra'],
    ['--nope'],
    ['--node-id'],
    ['--node-id', ''],
    ['--node-id', 'two\nlines'],
    ['--node-id', '\u001b[31mred'],
    ['--tcp-port'],
    ['--tcp-port', 'x'],
    ['--tcp-port', '-1'],
    ['--tcp-port', '65536'],
    ['--udp-port', '1.5'],
    ['--udp-port', ''],
    ['--http-port', '0x10'],
    ['--peer'],
    ['--peer', 'nohost'],
    ['--peer', 'host:99999'],
    ['--peer', ':5000'],
    ['--no-discovery=maybe'],
    ['--token-file'],
    ['--token-file', 'nowhere'],
    ['--token-file', 'weak-token'],
    ['--token-file', '.'],
  ],
  demo: [['extra'], ['--nope'], ['--places', 'x'], ['--places', '0']],
  init: [
    ['extra'],
    ['--nope'],
    ['--node-id'],
    ['--node-id', ''],
    ['--token-file'],
    ['--token-file', 'nowhere'],
    ['--force=maybe'],
    ['--config', 'weak-token'],
  ],
  status: [['extra'], ['--nope']],
  verify: [['a', 'b'], ['--nope'], ['']],
  peers: [['extra'], ['--nope']],
  health: [['extra'], ['--nope']],
  doctor: [['a:1', 'b:2'], ['--nope'], ['no-port'], ['10.0.0.1'], ['host:port']],
  config: [['extra'], ['--nope'], ['--config'], ['--config', 'nowhere.json'], ['--config', 'weak-token'], ['--data']],
  put: [
    [],
    ['c'],
    ['c', 'k', '{}', 'extra'],
    ['--nope'],
    ['c', 'k', 'x'],
    ['c', 'k', '[1]'],
    ['c', 'k', ''],
    ['c', 'k'],
    ['', 'k', '{}'],
    ['c', '', '{}'],
    ['c', 'k', '{"a":1e999}'],
  ],
  get: [[], ['c'], ['c', 'k', 'extra'], ['--nope'], ['', 'k'], ['c', '']],
  delete: [[], ['c'], ['c', 'k', 'extra'], ['--nope'], ['', 'k']],
  find: [
    [],
    ['c', '{}', 'extra'],
    ['--nope'],
    ['c', 'x'],
    ['c', '[]'],
    ['c', '{"a":{"$foo":1}}'],
    ['c', '{"$and":1}'],
    ['c', '--sort'],
    ['c', '--sort', ''],
    ['c', '--sort=-'],
    ['c', '--sort', '{"a":2}'],
    ['c', '--skip', 'x'],
    ['c', '--skip', '-1'],
    ['c', '--limit', '0'],
    ['c', '--limit', '1e3'],
    ['c', '--fields', 'a,'],
    ['c', '--after', 'x'],
    ['c', '{"a":{"$foo":1}}', '--explain'],
  ],
  count: [[], ['c', '{}', 'extra'], ['--nope'], ['c', 'x'], ['c', '{"a":{"$in":1}}']],
  history: [
    [],
    ['c'],
    ['c', 'k', 'extra'],
    ['--nope'],
    ['', 'k'],
    ['c', 'k', '--to', '2026-11-28'],
    ['c', 'k', '--undo', '--to'],
    ['c', 'k', '--undo', '--to', 'yesterday'],
  ],
  index: [
    ['nope'],
    ['list'],
    ['list', 'c', 'extra'],
    ['list', ''],
    ['add', 'c'],
    ['add', 'c', ''],
    ['add', 'c', 'a', 'a', '--name', 'n'],
    ['add', 'c', 'a', 'b', '--multi'],
    ['add', 'c', 'a[]', '--unique'],
    ['add', 'c', 'a[]', '--full-text'],
    ['add', 'c', 'a', '--where', 'x'],
    ['remove', 'c'],
    ['remove', 'c', 'n', 'extra'],
  ],
  blob: [
    ['nope'],
    ['put'],
    ['put', 'nowhere'],
    ['put', '.'],
    ['put', 'weak-token', '--type'],
    ['get'],
    ['get', 'zz'],
    ['get', '0'.repeat(64), 'f', 'extra'],
    ['list', 'extra'],
    ['collect', '--days', '6'],
    ['collect', '--days', 'x'],
  ],
  import: [
    [],
    ['c'],
    ['c', 'f', 'extra'],
    ['--nope'],
    ['c', 'nowhere.ndjson'],
    ['c', '.'],
    ['c', 'weak-token'],
    ['c', '-', '--key-field', ''],
    ['c', '-', '--key-field'],
    ['c', 'nowhere.ndjson', '--skip-bad'],
    ['c', '-', '--format'],
    ['c', '-', '--format', 'xlsx'],
    ['c', 'articles.xlsx'],
    ['c', '-', '--delimiter'],
    ['c', 'f.csv', '--delimiter', 'x'],
    ['c', 'nowhere.csv', '--all-text'],
    ['c', '-', '--resume'],
    ['', '-'],
  ],
  export: [
    [],
    ['c', 'f', 'extra'],
    ['--nope'],
    ['c', '.'],
    ['c', 'nowhere/file'],
    ['c', 'weak-token/file'],
    ['c', 'f', '--format', 'xlsx'],
    ['c', 'articles.XLS'],
    ['c', 'f.csv', '--delimiter', 'x'],
    ['c', 'f.csv', '--columns'],
    ['c', 'f.csv', '--columns', ''],
    ['c', 'f.csv', '--versions'],
    ['c', '--resume'],
    [''],
  ],
  backup: [['f', 'extra'], ['--nope'], []],
  restore: [[], ['f', 'extra'], ['--nope']],
  salvage: [[], ['f', 'extra'], ['--nope']],
  check: [['extra'], ['--nope']],
  compact: [['extra'], ['--nope']],
  conflicts: [
    ['extra'],
    ['--restore'],
    ['--restore', 'x'],
    ['--nope'],
    ['--limit'],
    ['--limit', 'x'],
    ['--limit', '0'],
  ],
};

/** Listed in the help of each command. */
const GLOBAL_OPTIONS = ['--version', '--config', '--data', '--json'];

describe('wrong usage', () => {
  for (const [command, lines] of Object.entries(WRONG)) {
    test(`of ${command} is one sentence, exit code 2, and changes nothing`, async () => {
      await cli('put', 'c', 'k', '{"a":1}', '--data', 'data');
      await writeFile(join(folder(), 'weak-token'), 'too weak');
      const before = await listAll(folder());
      for (const line of lines) {
        const { code, out, err } = await begin([command, '--data', 'data', ...line], '').done;
        const shown = `entgldb ${command} ${line.map((word) => JSON.stringify(word)).join(' ')}: ${err}`;
        assert.equal(code, 2, shown);
        assert.equal(out, '', shown);
        assert.match(err, /^entgldb: \S[^\n]+\n$/, shown);
        assert.doesNotMatch(err, /\bE[A-Z]{4,}: |Error:|undefined|\bat \S+:\d+/, shown);
        assert.deepEqual(await listAll(folder()), before, shown);
      }
    });
  }

  test('with --json is reported as an object with code and reason', async () => {
    await writeFile(join(folder(), 'weak-token'), 'too weak');
    for (const [command, lines] of Object.entries(WRONG)) {
      const line = lines.at(-1)!;
      const { code, out, err } = await begin([command, '--json', '--data', 'data', ...line], '').done;
      const shown = `entgldb ${command} ${line.join(' ')}: ${err}`;
      assert.equal(code, 2, shown);
      assert.equal(out, '', shown);
      const { error } = JSON.parse(err) as { error: Record<'code' | 'reason' | 'message', string> };
      assert.match(error.code, /^[A-Z_]+_ERROR$/, shown);
      assert.match(error.reason, /^[A-Z_]+$/, shown);
      assert.match(error.message, /\S \S/, shown);
    }
  });

  test('of a name or key gives the same sentence whether the node runs or not', async () => {
    await cli('put', 'c', 'k', '{"a":1}');
    const lines = [
      ['put', 'c', '', '{}'],
      ['get', '', 'k'],
      ['delete', 'c', 'x'.repeat(2000)],
      ['find', ''],
      ['count', '\u001b'],
    ];
    const tryAll = async () => Promise.all(lines.map((line) => cli(...line)));
    const stopped = await tryAll();
    const node = begin(['start', '--no-discovery']);
    await node.ready;
    assert.deepEqual(await tryAll(), stopped);
    for (const { err } of stopped)
      assert.match(err, /^entgldb: the (collection name|document key) .*; use 1 to \d+ bytes/);
    node.stop();
    await node.done;
  });

  test('lists the options of all commands in the help of each', async () => {
    for (const name of Object.keys(WRONG)) {
      const { out } = await cli(name, '--help');
      for (const option of GLOBAL_OPTIONS) assert.ok(out.includes(option), `${name} ${option}`);
    }
  });

  test('names a bad line in the middle of a file, and says how much was imported', async () => {
    const lines = Array.from({ length: 2500 }, (_, i) => JSON.stringify({ key: `k${i}`, value: { i } }));
    lines[2300] = '{"key":"k2300","value":';
    await writeFile(join(folder(), 'half.ndjson'), lines.join('\n'));
    const { code, err } = await cli('import', 'half', 'half.ndjson', '--data', 'data');
    assert.equal(code, 2);
    assert.match(err, /^entgldb: line 2301 is not JSON .*; 2,000 documents before it were imported; .*again/);
    assert.equal((await cli('count', 'half', '--data', 'data')).out, '2000\n');
  });

  test('of an address without a port shows it with one', async () => {
    assert.match((await cli('doctor', '10.0.0.1')).err, /give host:port of the other node, as in 10\.0\.0\.1:5000\n$/);
  });

  test('is tested for every command and every option', async () => {
    const { out } = await cli('--help');
    const names = [...out.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1]!).filter((name) => name !== 'help');
    assert.deepEqual([...names].sort(), Object.keys(WRONG).sort());
    for (const name of names) {
      const { out: help } = await cli(name, '--help');
      const used = WRONG[name]!.flat().map((word) => word.split('=')[0]);
      const parts = [...help.matchAll(/^ {2}([a-z]+) (?!\[command\])/gm)].map((match) => match[1]!);
      for (const part of parts) assert.ok(used.includes(part), `${name} ${part}`);
      const helps = await Promise.all(parts.map(async (part) => (await cli(name, part, '--help')).out));
      const options = [help, ...helps].flatMap((text) =>
        [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1]!),
      );
      for (const option of options.filter((each) => !['--help', ...GLOBAL_OPTIONS].includes(each)))
        assert.ok(used.includes(option), `${name} ${option}`);
    }
  });

  test('of the program itself is reported too', async () => {
    assert.equal((await cli()).code, 2);
    for (const args of [['pot'], ['--nope'], ['--data'], ['--config', 'status'], ['--json=maybe', 'status']])
      assert.equal((await cli(...args)).code, 2, args.join(' '));
    assert.match((await cli('--data', 'here', 'find', 'c', '--limit')).err, /see `entgldb find --help`/);
  });
});

/** Every file below a folder, except the databases' lock files, which merely opening creates. */
async function listAll(path: string): Promise<string[]> {
  const names = await readdir(path, { recursive: true });
  return names.filter((name) => !name.endsWith('.lock')).sort();
}
