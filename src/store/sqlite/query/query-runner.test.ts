/**
 * Goal: finding out how and where a query is best answered costs little compared with the answer.
 * Method: a file with more documents than are looked at on the event loop, and a connection that records its statements.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, type DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { LIMITS } from '../../../core/config/index.ts';
import { parseCollectionName } from '../../../core/ids/index.ts';
import { parseIndex, parseQuery, type Query } from '../../../core/query/index.ts';
import { sampleDocument } from '../../../testing/index.ts';
import type { FoundDocument } from '../../store.ts';
import { openReader } from '../connection.ts';
import { createCollectionDictionary, createReplicaDictionary, DocumentTable, IndexTable } from '../tables/index.ts';
import { openInFolder } from '../test-folder.ts';
import { QueryRunner } from './index.ts';
import { registerQueryFunctions } from './query-functions.ts';

const C = parseCollectionName('c');
const MANY = LIMITS.queryLoopDocumentsMax + 1000;

let folder: string;
let path: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entgldb-queries-'));
  path = join(folder, 'test.db');
  const store = await openInFolder(folder);
  const documents = Array.from({ length: MANY }, (_, n) => {
    const value = JSON.stringify({ n, group: n % 100, name: `name ${n}`, tags: [`tag ${n}`] });
    return sampleDocument({ key: `k${String(n).padStart(5, '0')}`, pos: n + 1, versions: [{ seq: n + 1, value }] });
  });
  store.commit({ documents });
  for (const field of ['n', 'group', 'tags[]']) store.addIndex(C, parseIndex(field));
  while (store.workOnIndexes());
  await store.close();
});

after(() => rmSync(folder, { recursive: true }));

interface Asked {
  /** Undefined: there are too many to look at. */
  readonly found: number | undefined;
  /** Statements that searched for entries or documents, in their order. */
  readonly statements: readonly string[];
}

function ask(query: Query): Asked {
  const db = openReader(path);
  try {
    const statements: string[] = [];
    const recorder = new Proxy(db, {
      get(target, name) {
        if (name === 'prepare') return (sql: string) => statements.push(sql) && target.prepare(sql);
        const member = target[name as keyof DatabaseSync];
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const found = findSoon(createRunner(db, recorder), query);
    return { found: found?.length, statements };
  } finally {
    db.close();
  }
}

function createRunner(db: DatabaseSync, recorder: DatabaseSync = db): QueryRunner {
  const collections = createCollectionDictionary(db);
  const indexes = new IndexTable(db);
  const documents = new DocumentTable(db, collections, createReplicaDictionary(db), indexes);
  return new QueryRunner(recorder, documents, indexes, collections);
}

function findSoon(runner: QueryRunner, query: Query): readonly FoundDocument[] | undefined {
  return runner.findSoon(C, query, () => true, LIMITS.queryLoopDocumentsMax);
}

test('a query whose limit bounds what is looked at is answered without asking first how much there is', () => {
  const first = ask(parseQuery({ n: { $gte: 10 } }, { sort: { n: 1 }, limit: 20 }));
  assert.deepEqual([first.found, first.statements.length], [20, 1], first.statements.join('\n'));
  const some = ask(parseQuery({}, { limit: 10 }));
  assert.equal(some.found, 10);
  assert.ok(!some.statements.some(isQuestion), some.statements.join('\n'));
});

test('for a query that may look at much, one statement asks whether it is too much', () => {
  for (const filter of [{ n: 7 }, { n: { $lt: 2500 } }]) {
    const { statements } = ask(parseQuery(filter, { sort: { n: 1 } }));
    assert.deepEqual(statements.map(isQuestion), [true, false], statements.join('\n'));
  }
  const long = ask(parseQuery({ n: { $gte: 0 } }, { sort: { n: 1 } }));
  assert.deepEqual([long.found, long.statements.map(isQuestion)], [undefined, [true]]);
  const rare = ask(parseQuery({ name: `name ${MANY - 1}` }, { limit: 1 }));
  assert.equal(rare.found, undefined);
  assert.equal(rare.statements.filter(isQuestion).length, 1);
});

test('if several indexes help, entries are counted and the index with the fewest is used', () => {
  const { found, statements } = ask(parseQuery({ n: { $lt: 500 }, group: 7 }));
  assert.equal(found, 5);
  assert.equal(statements.filter((sql) => sql.includes('count(*)')).length, 1, 'the same text for both');
});

test('rows that entries lead to are read by their ids, however many other rows the collection has', () => {
  const db = openReader(path);
  registerQueryFunctions(db);
  const filters = [{ n: { $in: [1, 2, 3] } }, { tags: { $contains: 'tag 2' } }];
  const queries = filters.flatMap((filter) => [
    parseQuery(filter),
    parseQuery(filter, { sort: { name: -1 } }),
    parseQuery({ ...filter, name: { $endsWith: '2' } }),
  ]);
  for (const query of queries) {
    const { found, statements } = ask(query);
    assert.ok(found! > 0);
    const details = statements.flatMap((sql) =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    );
    const ofRows = details.filter((detail) => /^(SEARCH|SCAN) (doc|d) /.test(detail));
    assert.ok(ofRows.length > 0, details.join('\n'));
    for (const detail of ofRows) assert.match(detail, /USING INTEGER PRIMARY KEY/);
  }
  db.close();
});

test('the same query with other values prepares no statement again', () => {
  const db = openReader(path);
  let prepared = 0;
  // SQLite calls the authorizer whenever it compiles a statement, also when it recompiles one by itself.
  db.setAuthorizer(() => {
    prepared++;
    return constants.SQLITE_OK;
  });
  const runner = createRunner(db);
  const queries: readonly ((n: number) => Query)[] = [
    (n) => parseQuery({ n }),
    (n) => parseQuery({ n: { $gte: n } }, { sort: { n: -1 }, limit: n + 5 }),
    (n) => parseQuery({ n: { $in: [n, n + 1] } }, { sort: { name: 1 }, skip: n }),
    (n) => parseQuery({ n: { $lt: 100 + n }, group: n }),
    (n) => parseQuery({}, { limit: n + 5 }),
    (n) => parseQuery({ name: { $startsWith: `name ${n}` } }, { limit: n }),
  ];
  for (const queryOf of queries) {
    for (let n = 1; n <= 2; n++) findSoon(runner, queryOf(n));
    prepared = 0;
    for (let n = 3; n <= 6; n++) findSoon(runner, queryOf(n));
    assert.equal(prepared, 0, JSON.stringify(queryOf(3)));
  }
  db.close();
});

/** Whether a statement only asks if there are more than a given number. */
function isQuestion(sql: string): boolean {
  return /^SELECT 1 .*LIMIT 1 OFFSET \?$/.test(sql);
}
