/**
 * Goal: this release reads every row of a file that an earlier one wrote. The files hold rows of every kind, with made-up
 * sums of collections; `test/integration/old-databases.test.ts` checks files that real programs of the time left.
 * Method: golden files, one for each format that was ever published; a format change adds one and edits none. To make the
 * next one: `ENTGLDB_WRITE_VECTORS=1 node --test src/store/sqlite/format.test.ts`.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { parseIndex, parseQuery } from '../../core/query/index.ts';
import { sampleCheck, sampleDocument, sampleHead, sampleReplica } from '../../testing/index.ts';
import type { StoreBatch, StoredDocument } from '../store.ts';
import { FORMAT } from './tables/schema.ts';
import { openInFolder, withFolder } from './test-folder.ts';

const FIRST_FORMAT = 1;
const C = parseCollectionName('c');
const pathOf = (format: number): string =>
  fileURLToPath(new URL(`../../../test/vectors/database-format-${format}.db`, import.meta.url));

const R1 = sampleReplica(1);
const R2 = sampleReplica(2);
const documents = [
  sampleDocument({ key: 'plain', pos: 1, lineFirst: 1, lineReplica: R1 }),
  sampleDocument({ key: 'later \u{1f600}', pos: 2, lineFirst: 1, lineReplica: R2 }),
  sampleDocument({
    collection: 'd',
    key: 'context',
    pos: 3,
    versions: [{ seq: 9, first: 4, context: [{ replica: R2, first: 1, last: 300 }] }],
  }),
  sampleDocument({ key: 'dead', pos: 4, versions: [{ seq: 4, value: null }], deadAt: 1_767_225_600_000 }),
  sampleDocument({
    key: 'siblings',
    pos: 5,
    value: '{"merged":1}',
    versions: [{ seq: 5 }, { replica: R2, seq: 7, stamps: [{ path: '/n', replica: R1, seq: 2, hlc: 2000 as never }] }],
  }),
  sampleDocument({ key: 'unknown format', pos: 6, value: null, versions: [{ seq: 6, format: 3, value: 'raw' }] }),
];
const batch: StoreBatch = {
  head: sampleHead({ seq: 9, pos: 7, check: sampleCheck(9) }),
  chain: true,
  documents,
  removed: [{ collection: C, key: parseDocumentKey('gone'), pos: 7, why: 'purged', deadSince: 2 }],
  collections: [
    { name: C, state: 'wanted', documents: 3, fingerprint: { count: 6, lanes: [1, 2, 3, 4] }, resolver: 'lww@1' },
  ],
  knowledge: [{ collection: C, replica: R2, seq: 7, check: null }],
  purged: [{ collection: C, replica: R2, seq: 3 }],
  meta: new Map([['note', 'kept']]),
  entries: [{ space: 'queue', id: 3, data: '{"type":"put"}' }],
};

/** An index in files of format 2 and later. */
const AGE = parseIndex({ on: 'n', where: { n: { $exists: true } } });

test('there is a golden file of the newest format', () =>
  withFolder(async (folder) => {
    if (process.env.ENTGLDB_WRITE_VECTORS !== undefined && !existsSync(pathOf(FORMAT))) {
      const store = await openInFolder(folder);
      store.addIndex(C, AGE);
      store.commit(batch);
      while (store.workOnIndexes());
      await store.close();
      copyFileSync(join(folder, 'test.db'), pathOf(FORMAT));
    }
    assert.ok(existsSync(pathOf(FORMAT)));
  }));

function naive(found: readonly StoredDocument[]): string[] {
  return found.filter(({ value }) => value !== null && 'n' in JSON.parse(value)).map(({ key }) => key);
}

for (let format = FIRST_FORMAT; format <= FORMAT; format++) {
  test(`a file of format ${format} is read in full`, () =>
    withFolder(async (folder) => {
      copyFileSync(pathOf(format), join(folder, 'test.db'));
      const store = await openInFolder(folder);
      assert.equal(store.identity.reason, 'marker-missing');
      const { head, collections, knowledge, purgeLines, meta } = store.load();
      assert.deepEqual(head, batch.head);
      assert.deepEqual(collections, batch.collections);
      assert.deepEqual(knowledge.get(C)?.get(R2), { seq: 7, check: null });
      assert.equal(purgeLines.get(C)?.get(R2), 3);
      assert.deepEqual(meta, batch.meta);
      assert.deepEqual(store.changes(0, 100), documents);
      assert.deepEqual(store.gone(0, 100), batch.removed);
      assert.deepEqual(store.entries('queue', 0, 10), [{ id: 3, data: '{"type":"put"}' }]);
      assert.equal(store.chainCheck(9), sampleCheck(9));
      assert.deepEqual(
        store.indexes(C).map(({ definition, isReady }) => [definition, isReady]),
        format < 2 ? [] : [[AGE, true]],
      );
      const byN = parseQuery({ n: { $exists: true } });
      assert.equal(store.explain(C, byN).index, format < 2 ? null : AGE.name);
      assert.deepEqual(
        store.find(C, byN).map(({ key }) => key),
        naive(store.documents(C, null, 100)),
      );
      await store.close();
    }));
}
