/** Goal: log lines respect the configured levels and never contain a secret. Method: a real logger that writes into an array. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PersistenceError } from '../../core/errors/index.ts';
import type { LogLevel } from '../config/index.ts';
import { openLogger } from './index.ts';

const SECRET = 'correct "horse" battery staple';

async function openCollecting(levels: [string, LogLevel][], isTTY = false) {
  const lines: string[] = [];
  const output = { write: (text: string) => lines.push(text), isTTY };
  const { logger, setLevels, hide, close } = await openLogger({
    levels: new Map(levels),
    output,
    file: null,
    secrets: [SECRET],
  });
  return { logger, setLevels, hide, close, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

test('a line is JSON with the time, the level, the fields and the message', async () => {
  const { logger, parsed } = await openCollecting([['Default', 'Trace']]);
  logger.trace({ hit: true }, 'cache');
  logger.info({ peer: 'till-2' }, 'peer discovered');
  logger.fatal({ err: new Error('no disk') }, 'database cannot open');
  const [trace, info, fatal] = parsed();
  assert.equal(trace.level, 'Trace');
  assert.deepEqual([info.level, info.peer, info.msg], ['Information', 'till-2', 'peer discovered']);
  assert.equal(fatal.level, 'Critical');
  assert.equal(fatal.err.message, 'no disk');
  assert.ok(Math.abs(Date.parse(info.time) - Date.now()) < 60_000);
});

test('new levels apply to existing children', async () => {
  const { logger, setLevels, parsed } = await openCollecting([['Default', 'Warning']]);
  const network = logger.child({ category: 'EntglDb.Network' });
  network.debug({}, 'too early');
  setLevels(
    new Map<string, LogLevel>([
      ['EntglDb.Network', 'Debug'],
      ['Default', 'Error'],
    ]),
  );
  network.debug({}, 'in time');
  logger.warn({}, 'too late');
  assert.deepEqual(
    parsed().map((line) => line.msg),
    ['in time'],
  );
});

test('a category has the level of the longest configured name above it', async () => {
  const { logger, parsed } = await openCollecting([
    ['Default', 'Warning'],
    ['EntglDb.Network', 'Debug'],
    ['entgldb.network.discovery', 'None'],
  ]);
  logger.info({}, 'root: below Warning');
  const network = logger.child({ category: 'EntglDb.Network' });
  network.trace({}, 'network: below Debug');
  network.debug({}, 'network');
  network.child({ peer: 'a' }).debug({}, 'its child');
  network.child({ category: 'EntglDb.Network.Sessions' }).debug({}, 'a category below it');
  network.child({ category: 'EntglDb.Network.Discovery' }).fatal({}, 'silenced');
  logger.child({ category: 'EntglDb.Networking' }).debug({}, 'only begins alike');
  logger.warn({}, 'root');
  assert.deepEqual(
    parsed().map((line) => line.msg),
    ['network', 'its child', 'a category below it', 'root'],
  );
});

test('secrets are masked by name and by value', async () => {
  const { logger, lines } = await openCollecting([['Default', 'Trace']]);
  logger.info({ token: 'abc-1', network: { authToken: 'abc-2' }, req: { headers: { authorization: 'abc-3' } } }, 'a');
  logger.child({ about: SECRET }).error({ err: new Error(`bad key ${SECRET}`) }, `dialling with ${SECRET}`);
  assert.ok(!/abc-\d|battery/.test(lines.join('')));
});

test('a secret added later is masked from then on, in existing children too, and earlier secrets stay masked', async () => {
  const { logger, lines, hide } = await openCollecting([['Default', 'Trace']]);
  const child = logger.child({});
  hide(['a token of tomorrow']);
  hide(['another one']);
  child.info({}, `dialling with a token of tomorrow, another one and ${SECRET}`);
  assert.ok(!/tomorrow|another|battery/.test(lines.join('')));
});

test('on a terminal, lines are formatted for people', async () => {
  const { logger, lines } = await openCollecting([['Default', 'Trace']], true);
  logger.warn({ queued: 3 }, 'queue full');
  assert.match(lines.join(''), /WARNING.*queue full.*"queued":3/s);
  assert.ok(!lines.join('').startsWith('{'));
});

test('a file receives JSON lines, and close waits for the last one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-log-'));
  const path = join(folder, 'logs', 'entgldb.log');
  const { logger, close } = await openLogger({
    levels: new Map([['Default', 'Information']]),
    output: { write: () => assert.fail('nothing goes to the output'), isTTY: true },
    file: { path, fileBytesMax: 1e6, filesMax: 2 },
    secrets: [],
  });
  for (let i = 0; i < 100; i++) logger.info({ i }, 'line');
  await close();
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).i),
    Array.from({ length: 100 }, (_, i) => i),
  );
  await rm(folder, { recursive: true });
});

test('an error of the disk is logged without its stack, and one of the code with it', async () => {
  const { logger, parsed } = await openCollecting([['Default', 'Trace']]);
  const cause = Object.assign(new Error('database or disk is full'), { errcode: 13 });
  const full = new PersistenceError('DISK_FULL', 'the disk is full', { details: { path: '/data' }, cause });
  for (const err of [full, cause, new PersistenceError('DATABASE_CLOSED', 'closed')]) logger.error({ err }, 'failed');
  const [ours, systems, closed] = parsed().map((line) => line.err);
  assert.deepEqual(
    [ours.reason, ours.message, ours.stack],
    ['DISK_FULL', 'the disk is full: database or disk is full', undefined],
  );
  assert.deepEqual([systems.message, systems.stack], ['database or disk is full', undefined]);
  assert.match(closed.stack, /open-logger/);
});
