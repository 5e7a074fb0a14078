/**
 * Goal: no method in the reference ignores wrong options. Method: every method on its pages that takes options is called on
 * a real database with null in their place; the error must name the method.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  DocumentCache,
  EntglDbHealthCheck,
  OfflineQueue,
  openDatabase,
  RetryPolicy,
  SyncStatusTracker,
} from '../../src/index.ts';

const PAGES = new URL('../../docs/api/', import.meta.url);

interface Method {
  readonly type: string;
  readonly name: string;
  /** Number of parameters before the options. */
  readonly before: number;
}

/** The methods of a page, by their anchors: `- <a id="collection.put"></a>`put(key: string, value: Input, options?: …): …`. */
async function methodsOf(page: string): Promise<Method[]> {
  const text = await readFile(new URL(page, PAGES), 'utf8');
  const lines = text.matchAll(/<a id="(\w+)\.\w+"><\/a>`(\w+)(?:<\w+>)?\((.*\boptions\??: )/g);
  return [...lines].map(([, type, name, parameters]) => ({ type: type!, name: name!, before: commas(parameters!) }));
}

/** Counts the commas outside brackets. */
function commas(parameters: string): number {
  let depth = 0;
  let count = 0;
  for (const sign of parameters.replaceAll('=>', '')) {
    if ('<([{'.includes(sign)) depth++;
    else if ('>)]}'.includes(sign)) depth--;
    else if (sign === ',' && depth === 0) count++;
  }
  return count;
}

test('every method that takes options refuses null instead of them', async (t) => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'entgldb-options-'));
  t.after(() => rm(dataDirectory, { recursive: true }));
  await using db = await openDatabase({ dataDirectory, network: false });
  const collection = db.collection('c');
  const targets: Readonly<Record<string, object>> = {
    collection,
    nodedatabase: db,
    blobs: db.blobs,
    fluentquery: collection.query(),
    offlinequeue: db.offlineQueue,
    retrypolicy: db.retryPolicy,
  };
  const pages = ['collections.md', 'database.md', 'blobs.md', 'queries.md', 'services.md'];
  const methods = (await Promise.all(pages.map(methodsOf))).flat().filter(({ type }) => type in targets);
  assert.ok(methods.length > 50, `only ${methods.length} methods were found`);
  for (const { type, name, before } of methods) {
    const target = targets[type] as Record<string, (...args: unknown[]) => unknown>;
    const args = name === 'collection' ? ['c', null] : [...Array(before).fill(() => {}), null];
    const message = new RegExp(`options of (${name}|collection "c") are null; write an object`);
    await assert.rejects(async () => target[name]!(...args), message, `${type}.${name}`);
  }
});

test('every method that takes a function refuses anything else', async (t) => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'entgldb-options-'));
  t.after(() => rm(dataDirectory, { recursive: true }));
  await using db = await openDatabase({ dataDirectory, network: false });
  await db.offlineQueue.enqueue({ type: 'delete', collection: 'c', key: 'k' });
  const targets: readonly (readonly [object, readonly string[]])[] = [
    [db, ['transaction', 'onOnlineChange']],
    [db.offlineQueue, ['flush', 'register', 'onDropped']],
    [db.healthCheck, ['onChange']],
    [db.syncTracker, ['onChange']],
    [db.retryPolicy, ['execute']],
  ];
  for (const [target, names] of targets)
    for (const name of names) {
      const method = (target as Record<string, (value: unknown) => unknown>)[name]!;
      await assert.rejects(async () => method.call(target, 5), { message: `${name} wants a function to call, not 5` });
    }
  assert.equal(db.offlineQueue.peek(1)[0]?.attempts, 0);
  const wrong = <T>(value: unknown): T => value as T;
  await assert.rejects(db.backup(wrong(5)), /the path of a backup is a text/);
  await assert.rejects(db.setNetworkPaused(wrong('no')), /setNetworkPaused takes true or false, not no/);
  await db.collection('c').put('a', {});
  await assert.rejects(
    db.collection('c').deleteMany(wrong('a')),
    /deleteMany takes a list of keys; for one key use delete/,
  );
  assert.equal(await db.collection('c').count(), 1);
});

test('creating or opening something with invalid or misspelt options is refused', async () => {
  const wrong = <T>(value: unknown): T => value as T;
  for (const Service of [RetryPolicy, DocumentCache, OfflineQueue, SyncStatusTracker, EntglDbHealthCheck]) {
    const make = Service as new (options: unknown) => unknown;
    assert.throws(() => new make(null), new RegExp(`options of ${Service.name} are null`));
    assert.throws(
      () => new make({ maxSize_: 1 }),
      new RegExp(`options of ${Service.name} hold the unknown "maxSize_"`),
    );
  }
  for (const options of [null, 5]) await assert.rejects(openDatabase(wrong(options)), /options of openDatabase are/);
  for (const name of ['configFile', 'dataDirectory'])
    await assert.rejects(openDatabase(wrong({ [name]: 5 })), {
      message: `${name} of openDatabase is number; give a path as a text`,
    });
  await assert.rejects(openDatabase(wrong({ netwrok: false })), /unknown key netwrok .*; did you mean Network\?/);
  await assert.rejects(
    openDatabase(wrong({ persistence: { databsePath: 'x.db' } })),
    /unknown key Persistence.databsePath in the options given in code; did you mean Persistence.DatabasePath\?/,
  );
});

test('null in the place of an option of openDatabase counts as not set', async (t) => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'entgldb-options-'));
  t.after(() => rm(dataDirectory, { recursive: true }));
  const nulls = { configFile: null, nodeId: null, persistence: null, resolvers: null, logger: null };
  const db = await openDatabase({ ...(nulls as object), dataDirectory, network: false });
  assert.deepEqual(await db.collection('c').find(), []);
  await db.close();
});
