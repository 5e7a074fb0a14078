/**
 * Goal: a query in a thread answers as one on the event loop does, whatever happens to the file and its logs meanwhile, and
 * short queries stay on the event loop.
 * Method: real stores; damaged rows and indexes, files that disappear, a disk that refuses, a log that may not grow.
 */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { parseCollectionName } from '../../core/ids/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { parseIndex, parseQuery, type Query } from '../../core/query/index.ts';
import { sampleDocument } from '../../testing/index.ts';
import type { SqliteStore } from './sqlite-store.ts';
import { openInFolder, withFolder } from './test-folder.ts';

const C = parseCollectionName('c');
const MANY = 5000;
const BATCH = 500;

const keyOf = (n: number): string => `k${String(n).padStart(5, '0')}`;
const rare = parseQuery({ name: { $regex: '^name 99$' } });
const sorted = parseQuery({}, { sort: { name: -1 } as never });

function fill(store: SqliteStore, count = MANY, pad = ''): void {
  for (let from = 0; from < count; from += BATCH) {
    const documents = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => {
      const value = JSON.stringify({ n: from + i, name: `name ${from + i}`, pad });
      return sampleDocument({ key: keyOf(from + i), pos: from + i + 1, versions: [{ seq: from + i + 1, value }] });
    });
    store.commit({ documents });
  }
}

/** A logger that remembers its messages. */
function listener(): { readonly logger: Logger; readonly said: string[] } {
  const said: string[] = [];
  const hear = (_: unknown, message?: string): void => void said.push(message ?? '');
  const logger: Logger = { ...silentLogger, debug: hear, warn: hear, error: hear, child: () => logger };
  return { logger, said };
}

test('short queries are answered immediately, and so are long ones that find their few documents early', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store);
    store.addIndex(C, parseIndex('n'));
    while (store.workOnIndexes());
    const isAtOnce = (query: Query): boolean => {
      const asked = store.findAside(C, query);
      return !(asked instanceof Promise);
    };
    const options = (each: object): never => each as never;
    assert.ok(isAtOnce(parseQuery({ n: 7 })));
    assert.ok(isAtOnce(parseQuery({ n: { $lt: 2500 } }, options({ sort: { n: 1 } }))));
    assert.ok(isAtOnce(parseQuery({}, options({ sort: { n: -1 }, limit: 100 }))));
    assert.ok(isAtOnce(parseQuery({ name: { $startsWith: 'name' } }, options({ limit: 20 }))));
    assert.ok(
      isAtOnce(parseQuery({ n: { $gte: 0 }, name: { $startsWith: 'n' } }, options({ sort: { n: 1 }, limit: 9 }))),
    );
    const long = [
      rare,
      sorted,
      parseQuery({}),
      parseQuery({ n: { $lt: 4500 } }),
      parseQuery({ n: { $gte: 0 }, name: 'name 4999' }, options({ sort: { n: 1 }, limit: 1 })),
      parseQuery({ n: { $gte: 0 } }, options({ sort: { name: 1 }, limit: 1 })),
      parseQuery({ name: { $endsWith: 'x' } }, options({ limit: 20 })),
      parseQuery({}, options({ sort: { name: 1 }, limit: 1 })),
    ];
    for (const query of long) {
      const asked = store.findAside(C, query);
      assert.ok(asked instanceof Promise, JSON.stringify(query));
      assert.deepEqual(await asked, store.find(C, query));
    }
    await store.close();
  }));

test('a query in a thread names a damaged document as one on the event loop does', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store);
    await store.close();
    const raw = new DatabaseSync(join(folder, 'test.db'));
    raw.exec(`UPDATE doc SET value = replace(value, 'name', 'nome') WHERE key = '${keyOf(33)}'`);
    raw.close();
    const next = await openInFolder(folder);
    const error = await Promise.resolve(next.findAside(C, parseQuery({}))).catch((thrown: unknown) => thrown);
    const { reason, details } = error as { readonly reason: string; readonly details: object };
    assert.deepEqual([reason, details], ['DOCUMENT_CORRUPT', { collection: 'c', key: keyOf(33) }]);
    await next.close();
  }));

test('a rotten index is noticed and no longer used', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store);
    store.addIndex(C, parseIndex('n'));
    while (store.workOnIndexes());
    await store.close();
    const raw = new DatabaseSync(join(folder, 'test.db'));
    raw.exec(`UPDATE idx_entry SET sum = sum + 1 WHERE key = '${keyOf(33)}'`);
    raw.close();
    const { logger, said } = listener();
    const next = await openInFolder(folder, { logger });
    const all = parseQuery({ n: { $gte: 0 } }, { sort: { n: 1 } as never });
    assert.equal((await next.findAside(C, all)).length, MANY);
    assert.ok(said.includes('an index is damaged; it is made anew'), said.join());
    assert.equal(next.explain(C, all).index, null);
    assert.equal((await next.findAside(C, all)).length, MANY);
    await next.close();
  }));

test('queries are answered from the open file, not from another one that lies in its place now', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store);
    for (const suffix of ['', '-wal', '-shm'])
      renameSync(join(folder, `test.db${suffix}`), join(folder, `away${suffix}`));
    const other = await openInFolder(folder, { path: join(folder, 'other.db') });
    fill(other, 10);
    await other.close();
    renameSync(join(folder, 'other.db'), join(folder, 'test.db'));
    assert.equal((await store.findAside(C, sorted)).length, MANY);
    await store.close().catch(() => {});
  }));

test('a log that may not grow makes queries begin again, and their answers are right nevertheless', () =>
  withFolder(async (folder) => {
    const { logger, said } = listener();
    const store = await openInFolder(folder, { logger, limits: { asideLogBytesMax: 0 } });
    fill(store, MANY, 'x'.repeat(500));
    const isGivenWay = (): boolean => said.includes('a query in a thread gives way');
    for (let round = 0; round < 20 && !isGivenWay(); round++) {
      let isOver = false;
      const asked = Promise.resolve(store.findAside(C, sorted)).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        fill(store, 2 * BATCH, 'y'.repeat(2500));
        await new Promise(setImmediate);
      }
      assert.equal((await asked).length, MANY);
    }
    assert.ok(isGivenWay(), 'no query was interrupted to shorten the log');
    await store.close();
  }));

test('queries and a compaction that needs the log for itself both finish', () =>
  withFolder(async (folder) => {
    const store = await openInFolder(folder);
    fill(store, MANY, 'x'.repeat(500));
    for (let round = 0; round < 5; round++) {
      const asked = store.findAside(C, sorted);
      for (let i = 0; i < round; i++) await new Promise(setImmediate);
      await store.compact();
      assert.equal((await asked).length, MANY);
    }
    await store.close();
  }));

test('a refused sync does not end a query', () =>
  withFolder(async (folder) => {
    let isRefused = false;
    const dataSync = async (): Promise<void> => {
      if (isRefused) throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fdatasync' });
    };
    const store = await openInFolder(folder, { dataSync });
    fill(store);
    await store.flush();
    const asked = store.findAside(C, sorted);
    isRefused = true;
    store.commit({ documents: [sampleDocument({ key: 'zz', pos: MANY + 1 })] });
    await assert.rejects(store.flush());
    isRefused = false;
    const found = await asked;
    assert.ok([MANY, MANY + 1].includes(found.length), `${found.length} found`);
    store.load();
    assert.deepEqual(await store.findAside(C, sorted), store.find(C, sorted));
    await store.close();
  }));

test('a close at any moment leaves no query unanswered', () =>
  withFolder(async (folder) => {
    for (let turns = 0; turns < 12; turns++) {
      const store = await openInFolder(folder, { path: join(folder, `${turns}.db`) });
      fill(store);
      const asked = [rare, sorted, rare].map((query) => Promise.resolve(store.findAside(C, query)));
      const answers = Promise.allSettled(asked);
      for (let i = 0; i < turns * turns; i++) await new Promise(setImmediate);
      await store.close();
      for (const answer of await answers)
        if (answer.status === 'rejected')
          assert.equal((answer.reason as { reason?: string }).reason, 'DATABASE_CLOSED');
    }
  }));
