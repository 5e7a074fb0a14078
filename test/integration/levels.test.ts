/**
 * Goal: each level of the log carries what the guide says. Method: programs' databases on two real nodes, with a logger
 * that remembers; one example of each kind is made to happen.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Logger, NetworkError, openDatabase } from '../../src/index.ts';
import { atEnd } from './cleanup.ts';
import { eventually, HUNG_MS, makeFolder } from './node-process.ts';

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly text: string;
}

function rememberingLogger(lines: Line[]): Logger {
  const at = (level: string) => (fields: object, text: string) => void lines.push({ level, fields, text });
  const logger: Logger = {
    trace: at('Trace'),
    debug: at('Debug'),
    info: at('Information'),
    warn: at('Warning'),
    error: at('Error'),
    fatal: at('Critical'),
    child: () => logger,
  };
  return logger;
}

test('each level of the log carries what the guide says', { timeout: HUNG_MS }, async (t) => {
  const folder = await makeFolder(t);
  const lines: Line[] = [];
  const logger = rememberingLogger(lines);
  const options = (name: string, peers: readonly string[] = []) => ({
    dataDirectory: join(folder, name),
    nodeId: name,
    logger,
    network: {
      localhostOnly: true,
      enableDiscovery: false,
      tcpPort: 0,
      retryDelayMs: 1,
      knownPeers: peers.map((address) => ({ address })),
    },
    persistence: { databasePath: join(folder, name, 'entgldb.db'), backupPath: join(folder, name, 'backups') },
    sync: { maxQueueSize: 1 },
  });
  const office = await openDatabase(options('office'));
  atEnd(t, () => office.close());
  const till = await openDatabase(options('till', [`127.0.0.1:${office.address().tcp!.port}`]));
  atEnd(t, () => till.close());
  const users = till.collection('users');
  await users.get('user1');
  await users.put('user1', { name: 'Alice' });
  await users.get('user1');
  await users.get('user1');
  await eventually('the sync', async () => (await office.collection('users').get('user1')) !== undefined);
  await till.backup();
  await users.require('user2').catch(() => {});
  const refuse = (): never => {
    throw new NetworkError('CONNECT_FAILED', 'nobody is there');
  };
  await till.retryPolicy.execute(refuse, 'TCP Connect').catch(() => {});
  await till.offlineQueue.enqueue({ type: 'delete', collection: 'users', key: 'user1' });
  assert.throws(() => till.offlineQueue.enqueue({ type: 'delete', collection: 'users', key: 'user1' }));
  await till.offlineQueue.flush(refuse);
  mkdirSync(join(folder, 'broken'));
  writeFileSync(join(folder, 'broken', 'entgldb.db'), 'this is no database');
  await assert.rejects(openDatabase(options('broken')));

  for (const [level, text] of [
    ['Trace', 'cache miss'],
    ['Trace', 'cache hit'],
    ['Debug', 'sync'],
    ['Debug', 'attempt'],
    ['Information', 'peer connected'],
    ['Information', 'backup created'],
    ['Warning', 'the offline queue is full'],
    ['Warning', 'attempt failed, will retry'],
    ['Warning', 'a document that is required does not exist'],
    ['Error', 'retries exhausted'],
    ['Error', 'queued operation failed'],
    ['Critical', 'the database cannot be opened'],
  ] as const) {
    const line = lines.find((each) => each.level === level && each.text.startsWith(text));
    assert.ok(line, `${level}: ${text}, of ${JSON.stringify(lines.map((each) => `${each.level} ${each.text}`))}`);
    assert.ok(Object.keys(line.fields).length > 0, `${text} has named fields`);
  }
  assert.ok(!JSON.stringify(lines).includes('Alice'), 'no line holds a document');
});
