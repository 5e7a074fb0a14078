import assert from 'node:assert/strict';
import { HLC_ZERO } from '../../core/clock/index.ts';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { sampleDocument, sampleReplica } from '../stored-documents.ts';
import type { Claim } from './store-under-test.ts';

const C = parseCollectionName('c');
const D = parseCollectionName('d');
const R1 = sampleReplica(1);
const R2 = sampleReplica(2);
const R3 = sampleReplica(3);
const key = parseDocumentKey;

/** Documents and their versions. */
export function claimDocuments(claim: Claim): void {
  claimBasics(claim);
  claimVersions(claim);
}

function claimBasics(claim: Claim): void {
  claim('a new store is empty', ({ store }) => {
    const image = store.load();
    assert.equal(image.head, undefined);
    assert.deepEqual(image.collections, []);
    assert.equal(image.knowledge.size + image.purgeLines.size + image.meta.size, 0);
    assert.equal(store.get(C, key('k')), undefined);
    assert.deepEqual(store.documents(C, null, 10), []);
    assert.deepEqual(store.changes(0, 10), []);
    assert.deepEqual([store.chainFrom(), store.goneFrom()], [0, 0]);
  });

  claim('a document reads back as it was written', ({ store }) => {
    const document = sampleDocument({ key: 'k', pos: 7, lineFirst: 7, lineReplica: R1 });
    store.commit({ documents: [document] });
    assert.deepEqual(store.get(C, key('k')), document);
  });

  claim('the same key in another collection is another document', ({ store }) => {
    const here = sampleDocument({ key: 'k', pos: 1 });
    const there = sampleDocument({ collection: 'd', key: 'k', pos: 2 });
    store.commit({ documents: [here, there] });
    assert.deepEqual(store.get(C, key('k')), here);
    assert.deepEqual(store.get(D, key('k')), there);
  });

  claim('a later state replaces the whole document', ({ store }) => {
    store.commit({
      documents: [
        sampleDocument({ key: 'k', pos: 1, versions: [{ seq: 1 }, { replica: R2, seq: 1, hlc: 9 as never }] }),
      ],
    });
    const after = sampleDocument({ key: 'k', pos: 2 });
    store.commit({ documents: [after] });
    assert.deepEqual(store.get(C, key('k')), after);
    assert.deepEqual(store.changes(0, 10), [after]);
    assert.deepEqual(store.delta(C, R2, 0, 10), []);
  });

  claim('if a batch has two states of one document, the later one stays', ({ store }) => {
    const last = sampleDocument({ key: 'k', pos: 2 });
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 }), last] });
    assert.deepEqual(store.documents(C, null, 10), [last]);
  });

  claim(
    'if a large batch has two states of one document, the later one stays, whether new or held, with or without siblings',
    ({ store }) => {
      for (const first of [1, 101, 201]) {
        const documents = Array.from({ length: 40 }, (_, i) => {
          const pos = first + i;
          const siblings =
            i % 9 === first % 9 ? { versions: [{ seq: pos }, { replica: sampleReplica(2), seq: pos }] } : {};
          return sampleDocument({ key: `k${(7 * i) % 25}`, pos, ...siblings });
        });
        store.commit({ documents });
        assert.deepEqual(store.changes(0, 100), documents.slice(-25));
      }
    },
  );

  claim('changing a document that was read does not change the stored one', ({ store }) => {
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
    const read = store.get(C, key('k'))!;
    try {
      Object.assign(read, { value: '{"changed":true}' });
      (read.versions as unknown[]).length = 0;
    } catch (error) {
      assert.ok(error instanceof TypeError, 'a frozen object refuses');
    }
    assert.deepEqual(store.get(C, key('k')), sampleDocument({ key: 'k', pos: 1 }));
  });

  claim('an empty batch changes nothing', ({ store }) => {
    store.commit({});
    assert.equal(store.load().head, undefined);
  });
}

function claimVersions(claim: Claim): void {
  const reads = (name: string, sample: Parameters<typeof sampleDocument>[0]): void => {
    claim(name, ({ store }) => {
      const document = sampleDocument(sample);
      store.commit({ documents: [document] });
      assert.deepEqual(store.get(document.collection, document.key), document);
      assert.deepEqual(store.changes(0, 10), [document]);
    });
  };
  reads('a tombstone keeps its version and the time of its arrival', {
    key: 'k',
    pos: 1,
    versions: [{ seq: 4, value: null }],
    deadAt: 1_767_225_600_123,
  });
  reads('siblings are kept together with their resolved value', {
    key: 'k',
    pos: 1,
    value: '{"merged":true}',
    versions: [{ seq: 4 }, { replica: R2, seq: 9 }, { replica: R3, seq: 2, value: null }],
    lineFirst: 4,
    lineReplica: R1,
  });
  reads('a context keeps its lines, however large their numbers', {
    key: 'k',
    pos: 1,
    versions: [
      {
        seq: 2 ** 52,
        first: 1,
        hlc: HLC_ZERO,
        context: [
          { replica: R1, first: 1, last: 127 },
          { replica: R1, first: 129, last: 2 ** 53 - 2 },
          { replica: R2, first: 2 ** 53 - 1, last: 2 ** 53 - 1 },
        ],
      },
    ],
  });
  reads('field stamps are kept, and absent stamps differ from an empty list', {
    key: 'k',
    pos: 1,
    versions: [
      { seq: 1, stamps: [] },
      { replica: R2, seq: 2, stamps: [{ path: '/a~1"b', replica: R3, seq: 5, hlc: 77 as never }] },
    ],
  });
  reads('a version of an unknown format is kept raw and not shown', {
    key: 'k',
    pos: 1,
    value: null,
    versions: [{ seq: 1, format: 9, value: 'not JSON' }],
    deadAt: null,
  });
  reads('the value that readers see may differ from that of a single version', {
    key: 'k',
    pos: 1,
    value: '{"shown":1}',
    versions: [{ seq: 1, value: '{"held":1}' }],
  });
  reads('a line of an earlier life is kept with its replica', { key: 'k', pos: 1, lineFirst: 3, lineReplica: R3 });
  reads('a document of a megabyte reads back', {
    key: 'k',
    pos: 1,
    versions: [{ seq: 1, value: `{"text":"${'ä€😀"\\u0000'.replaceAll('"', '\\"').repeat(50_000)}"}` }],
  });
  reads('names and keys may contain any allowed character', {
    collection: "' ; DROP TABLE doc; --",
    key: 'nul \u0000 end \ud83d\ude00',
    pos: 1,
  });
}
