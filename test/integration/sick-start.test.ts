/**
 * Goal: a node that cannot start says in one sentence why and what to do, with the right exit code, and changes nothing.
 * Everything is there again once the cause is gone. Method: real processes on damaged files, taken ports and folders of
 * another user.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { atEnd } from './cleanup.ts';
import {
  eventually,
  HUNG_MS,
  makeFolder,
  NodeProcess,
  type RunResult,
  runCommand,
  runStart,
  writeToken,
} from './node-process.ts';

const DOCUMENTS = 3000;
const PAD = 'x'.repeat(200);
const NOBODY = 65534;

/** Kinds of damage to the main file. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'its header overwritten': (path) => overwrite(path, 0, randomBytes(100)),
  'cut to half': (path) => truncateSync(path, statSync(path).size / 2),
  'cut within its header': (path) => truncateSync(path, 50),
  emptied: (path) => truncateSync(path, 0),
};

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`a database file ${name} is refused in one sentence, with exit code 1, and left as it is`, {
    timeout: HUNG_MS,
  }, async (t) => {
    const folder = await filledFolder(t);
    const path = join(folder, 'entgldb.db');
    copyFileSync(path, join(folder, 'copy.db'));
    damage(path);
    const hash = hashOf(path);
    for (const result of [
      await runStart({ folder, name: 'sick' }),
      await runCommand(['count', 'c', '--data', folder]),
    ]) {
      assert.equal(result.code, 1, result.err);
      assertOneSentence(result);
      assert.match(result.err, /entgldb\.db/);
      assert.match(result.err, /[Rr]estore a backup/);
    }
    assert.equal(hashOf(path), hash, 'nothing was changed');
    copyFileSync(join(folder, 'copy.db'), path);
    assert.equal((await runCommand(['count', 'c', '--data', folder])).out, `${DOCUMENTS}\n`);
  });
}

test('damage in the middle of the file is found by check, and the running node heals it from a peer', {
  timeout: HUNG_MS,
}, async (t) => {
  const folder = await filledFolder(t);
  const root = await makeFolder(t);
  const tokenFile = await writeToken(root);
  const healthy = await NodeProcess.start(t, { folder: join(root, 'healthy'), name: 'healthy', tokenFile });
  const first = await NodeProcess.start(t, { folder, name: 'sick', tokenFile, peers: [healthy.address] });
  await eventually('the peer has all', async () => (await healthy.collection('c').count()) === DOCUMENTS);
  assert.equal(await first.stop(), 0);
  const path = join(folder, 'entgldb.db');
  // Bytes of a document in the middle of the file. Its key is in an index too, but its text only in its row. Free pages may
  // hold older copies of the row, so all of them are damaged.
  const text = '{"i":1500,';
  const bytes = readFileSync(path);
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1))
    overwrite(path, at + text.length + 20, Buffer.from('rotten'));
  const checked = await runCommand(['check', '--data', folder]);
  assert.equal(checked.code, 1, checked.err);
  assertOneSentence(checked);
  const again = await runCommand(['check', '--data', folder]);
  assert.equal(again.code, 1, 'the row was taken away, and what it held is not back');
  assert.match(again.err, /"k1500" in "c"/);

  const sick = await NodeProcess.start(t, { folder, name: 'sick', tokenFile, peers: [healthy.address] });
  await eventually('every document can be read again', async () => (await countReadable(sick)) === DOCUMENTS, 30_000);
  assert.equal(await healthy.collection('c').count(), DOCUMENTS, 'nobody took the damage for a deletion');
  const notices = (await sick.status()).notices.join('\n');
  t.diagnostic(`notices: ${notices || 'none'}; logged: ${sick.logged('repair').length} lines about repair`);
  await eventually('the damage is logged', () => sick.logged('damaged').length > 0);
});

test('a port in use is named, with exit code 3, and the database stays usable', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  const tcp = createServer().listen(0, '0.0.0.0');
  const udp = createSocket('udp4').bind(0);
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
  atEnd(t, () => Promise.all([tcp.close(), udp.close()]));
  const { port } = tcp.address() as { port: number };
  const data = join(folder, 'data');
  for (const [result, named] of [
    [await runStart({ folder: data, name: 'n', tcpPort: port }), port],
    [
      await runCommand(['start', '--data', data, '--tcp-port', '0', '--no-discovery', '--http-port', String(port)]),
      port,
    ],
    [await runStart({ folder: data, name: 'n', udpPort: udp.address().port }), udp.address().port],
  ] as const) {
    assert.equal(result.code, 3, result.err);
    assertOneSentence(result);
    assert.match(result.err, new RegExp(`${named}`));
  }
  assert.equal((await runCommand(['put', 'c', 'k', '{}', '--data', data])).code, 0);
});

test('a node that cannot write its node file ends, and keeps nothing open', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  const inTheWay = join(folder, 'entgldb.db.node.json');
  mkdirSync(inTheWay);
  const result = await runStart({ folder, name: 'n' });
  assert.equal(result.code, 3, result.err);
  assertOneSentence(result);
  assert.match(result.err, /entgldb\.db\.node\.json: it is a folder/);
  rmdirSync(inTheWay);
  assert.equal((await runCommand(['put', 'c', 'k', '{}', '--data', folder])).code, 0);
});

test('a second node on the same data is refused, and told which process has it', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  const node = await NodeProcess.start(t, { folder, name: 'first' });
  const second = await runStart({ folder, name: 'second' });
  assert.equal(second.code, 3, second.err);
  assertOneSentence(second);
  assert.match(second.err, new RegExp(`process ${node.pid} `));
  await node.collection('c').put('k', { still: 'works' });
});

const whyNotOther = process.getuid?.() === 0 ? false : 'another user is needed, which needs root';
if (whyNotOther !== false) console.log(`SKIPPED: ${whyNotOther}`);

test('a folder or a file without permission is named, and nothing is changed', {
  skip: whyNotOther,
  timeout: HUNG_MS,
}, async (t) => {
  if ((await runAsNobody(['--version'])).code !== 0) return t.skip('another user cannot read this work tree');
  const folder = await filledFolder(t);
  const hash = hashOf(join(folder, 'entgldb.db'));
  await chmod(folder, 0o755);
  for (const name of ['entgldb.db', 'entgldb.db.marker', 'entgldb.db.lock']) chmodSync(join(folder, name), 0o644);
  const locked = join(folder, 'locked');
  mkdirSync(locked, { mode: 0o700 });
  for (const [args, code] of [
    [['start', '--data', folder, '--tcp-port', '0', '--http-port', '0', '--no-discovery'], 3],
    [['put', 'c', 'k', '{}', '--data', folder], 3],
    [['put', 'c', 'k', '{}', '--data', join(folder, 'new')], 3],
    [['start', '--data', locked, '--tcp-port', '0', '--http-port', '0', '--no-discovery'], 2],
    [['get', 'c', 'k', '--data', locked], 2],
    [['import', 'c', join(locked, 'file.ndjson'), '--data', folder], 2],
    [['init', '--data', locked], 2],
  ] as const) {
    const result = await runAsNobody(args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.err}`);
    assertOneSentence(result);
  }
  assert.equal(hashOf(join(folder, 'entgldb.db')), hash);
  assert.equal((await runCommand(['count', 'c', '--data', folder])).out, `${DOCUMENTS}\n`);
});

test('doctor says that a folder of backups cannot be listed, and everything else all the same', {
  skip: whyNotOther,
  timeout: HUNG_MS,
}, async (t) => {
  if ((await runAsNobody(['--version'])).code !== 0) return t.skip('another user cannot read this work tree');
  const folder = await makeFolder(t);
  const backups = join(folder, 'backups');
  await writeFile(
    join(folder, 'appsettings.json'),
    JSON.stringify({ EntglDb: { Persistence: { BackupPath: 'backups' } } }),
  );
  mkdirSync(backups);
  for (const [path, mode] of [
    [folder, 0o777],
    [backups, 0o333],
  ] as const)
    await chmod(path, mode);
  const { code, out, err } = await runAsNobody(['doctor', '--data', folder]);
  assert.deepEqual([code, err], [1, '']);
  assert.match(out, /^FAILED {2}backups: .*backups: this user may not; check who owns it$/m);
  assert.match(out, /network interfaces/);
});

/** Runs the command as a user other than the owner. The program itself must be readable by all, which not every tree is. */
async function runAsNobody(args: readonly string[]): Promise<RunResult> {
  return runCommand(args, { wrapper: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] });
}

function assertOneSentence({ out, err }: RunResult): void {
  assert.equal(out, '');
  const said = err
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('{"level":'));
  assert.equal(said.length, 1, err);
  assert.match(said[0]!, /^(entgldb: \S|\{"error":\{"code":")/);
  assert.doesNotMatch(said[0]!, /INTERNAL|undefined/);
}

async function filledFolder(t: TestContext): Promise<string> {
  const folder = await makeFolder(t);
  const lines = Array.from({ length: DOCUMENTS }, (_, i) => JSON.stringify({ key: `k${i}`, value: { i, pad: PAD } }));
  await writeFile(join(folder, 'in.ndjson'), lines.join('\n'));
  const { code, err } = await runCommand(['import', 'c', join(folder, 'in.ndjson'), '--data', folder]);
  assert.equal(code, 0, err);
  return folder;
}

async function countReadable(node: NodeProcess): Promise<number> {
  let count = 0;
  try {
    for await (const [, value] of node.collection('c').entries()) if (value.pad !== undefined) count++;
  } catch {
    // A page that cannot be read yet.
  }
  return count;
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  writeSync(openSync(path, 'r+'), bytes, 0, bytes.length, at);
}

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
