import assert from 'node:assert/strict';
import { compareBytes, parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { type Filter, parseQuery } from '../../core/query/index.ts';
import { EMPTY_FINGERPRINT, FingerprintSum, isSameFingerprint } from '../../core/version/index.ts';
import type { KeyRange } from '../../store/index.ts';
import { sampleDocument, sampleReplica } from '../stored-documents.ts';
import type { Claim } from './store-under-test.ts';

const C = parseCollectionName('c');
const D = parseCollectionName('d');
const R1 = sampleReplica(1);
const R2 = sampleReplica(2);
const R3 = sampleReplica(3);
const key = parseDocumentKey;
const ALL: KeyRange = { after: null, upTo: null };
const EVERYTHING = Number.POSITIVE_INFINITY;

/** Orders, streams, ranges and queries. */
export function claimReads(claim: Claim): void {
  claimOrders(claim);
  claimStreams(claim);
  claimRanges(claim);
  claimQueries(claim);
}

function claimOrders(claim: Claim): void {
  const awkward = [
    '\u{1f600}',
    '\uffff',
    '\ufffd',
    'é',
    'e\u0301',
    'a',
    'a\u0000',
    'aa',
    'Z',
    '0',
    '\u{10ffff}',
    '\ue000',
  ];

  claim('documents come in byte order of their keys', ({ store }) => {
    store.commit({ documents: awkward.map((k, i) => sampleDocument({ key: k, pos: i + 1 })) });
    const sorted = [...awkward].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(
      store.documents(C, null, 100).map((d) => d.key),
      sorted,
    );
    assert.deepEqual([...awkward].sort(compareBytes), sorted);
  });

  claim('documents continue after a key, whether it exists or not', ({ store }) => {
    store.commit({ documents: ['a', 'b', 'd'].map((k, i) => sampleDocument({ key: k, pos: i + 1 })) });
    const keysAfter = (after: string, limit: number): string[] =>
      store.documents(C, key(after), limit).map((d) => d.key);
    assert.deepEqual(keysAfter('a', 10), ['b', 'd']);
    assert.deepEqual(keysAfter('c', 10), ['d']);
    assert.deepEqual(keysAfter('a', 1), ['b']);
    assert.deepEqual(keysAfter('d', 10), []);
    assert.deepEqual(keysAfter('a', 0), []);
  });

  claim('documents omits excluded keys, and still fills the page', ({ store }) => {
    store.commit({ documents: ['a', 'b', 'c', 'd'].map((k, i) => sampleDocument({ key: k, pos: i + 1 })) });
    const found = store.documents(C, null, 2, new Set([key('a'), key('c')]));
    assert.deepEqual(
      found.map((d) => d.key),
      ['b', 'd'],
    );
  });

  claim('nthKey counts from after a key', ({ store }) => {
    store.commit({ documents: ['a', 'b', 'c'].map((k, i) => sampleDocument({ key: k, pos: i + 1 })) });
    assert.equal(store.nthKey(C, null, 1), 'a');
    assert.equal(store.nthKey(C, key('a'), 1), 'b');
    assert.equal(store.nthKey(C, null, 3), 'c');
    assert.equal(store.nthKey(C, null, 4), undefined);
    assert.equal(store.nthKey(D, null, 1), undefined);
  });

  claim('changes come in order of position across collections, each document once', ({ store }) => {
    store.commit({
      documents: [sampleDocument({ key: 'x', pos: 1 }), sampleDocument({ collection: 'd', key: 'y', pos: 2 })],
    });
    store.commit({ documents: [sampleDocument({ key: 'z', pos: 3 }), sampleDocument({ key: 'x', pos: 4 })] });
    const found = store.changes(0, 10).map((d) => [d.collection, d.key, d.pos]);
    assert.deepEqual(found, [
      ['d', 'y', 2],
      ['c', 'z', 3],
      ['c', 'x', 4],
    ]);
    assert.deepEqual(
      store.changes(2, 1).map((d) => d.pos),
      [3],
    );
    assert.deepEqual(store.changes(4, 10), []);
  });
}

function claimStreams(claim: Claim): void {
  claim('delta finds the live versions of one replica above a seq, in order of seq', ({ store }) => {
    store.commit({
      documents: [
        sampleDocument({ key: 'a', pos: 1, versions: [{ seq: 8 }] }),
        sampleDocument({ key: 'b', pos: 2, versions: [{ seq: 5 }, { replica: R2, seq: 5 }] }),
        sampleDocument({ key: 'c', pos: 3, versions: [{ seq: 2, value: null }] }),
        sampleDocument({ collection: 'd', key: 'd', pos: 4, versions: [{ seq: 6 }] }),
      ],
    });
    const seqs = (after: number, limit: number): [string, number][] =>
      store.delta(C, R1, after, limit).map(({ key: k, version }) => [k, version.seq]);
    assert.deepEqual(seqs(0, 10), [
      ['c', 2],
      ['b', 5],
      ['a', 8],
    ]);
    assert.deepEqual(seqs(2, 1), [['b', 5]]);
    assert.deepEqual(seqs(8, 10), []);
    assert.deepEqual(store.delta(C, R3, 0, 10), []);
    assert.deepEqual(store.delta(C, R2, 0, 10)[0]!.version, store.get(C, key('b'))!.versions[1]);
  });

  claim('delta ends with the version whose value reaches the bound of characters', ({ store }) => {
    const value = '{"n":1}';
    const siblings = {
      versions: [
        { seq: 2, value },
        { replica: R2, seq: 2, value },
      ],
    };
    store.commit({
      documents: [
        sampleDocument({ key: 'a', pos: 1, versions: [{ seq: 1, value }] }),
        sampleDocument({ key: 'b', pos: 2, ...siblings }),
        sampleDocument({ key: 'c', pos: 3, versions: [{ seq: 3, value: null }] }),
        sampleDocument({ key: 'd', pos: 4, versions: [{ seq: 4, value }] }),
      ],
    });
    const seqs = (after: number, characters: number): number[] =>
      store.delta(C, R1, after, 10, characters * value.length).map(({ version }) => version.seq);
    assert.deepEqual(seqs(0, 1), [1]);
    assert.deepEqual(seqs(0, 1.5), [1, 2]);
    assert.deepEqual(seqs(0, 2), [1, 2]);
    assert.deepEqual(seqs(0, 3), [1, 2, 3, 4]);
    assert.deepEqual(seqs(1, 1), [2]);
    assert.deepEqual(seqs(0, 4), [1, 2, 3, 4]);
  });

  claim('delta forgets versions that were replaced or removed', ({ store }) => {
    store.commit({ documents: [1, 2, 3].map((n) => sampleDocument({ key: `k${n}`, pos: n })) });
    store.commit({
      documents: [sampleDocument({ key: 'k1', pos: 4, versions: [{ replica: R2, seq: 1 }] })],
      removed: [{ collection: C, key: key('k2'), pos: 5, why: 'dropped', deadSince: null }],
    });
    assert.deepEqual(
      store.delta(C, R1, 0, 10).map(({ version }) => version.seq),
      [3],
    );
  });

  claim('a page of delta never ends between two versions of one dot', ({ store }) => {
    store.commit({
      documents: ['a', 'b', 'c'].map((k, i) => sampleDocument({ key: k, pos: i + 1, versions: [{ seq: 1 }] })),
    });
    assert.deepEqual(
      store.delta(C, R1, 0, 1).map((found) => found.key),
      ['a', 'b', 'c'],
    );
  });

  claim('replicas with live versions are listed in byte order', ({ store }) => {
    store.commit({
      documents: [
        sampleDocument({
          key: 'a',
          pos: 1,
          versions: [
            { replica: R3, seq: 1 },
            { replica: R1, seq: 1 },
          ],
        }),
        sampleDocument({ key: 'b', pos: 2, versions: [{ replica: R2, seq: 1 }] }),
      ],
    });
    assert.deepEqual(store.liveReplicas(C), [R1, R2, R3]);
    store.commit({ removed: [{ collection: C, key: key('b'), pos: 3, why: 'purged', deadSince: 2 }] });
    assert.deepEqual(store.liveReplicas(C), [R1, R3]);
    assert.deepEqual(store.liveReplicas(D), []);
  });

  claim('dead lists tombstones that arrived before the given time, oldest first', ({ store }) => {
    store.commit({
      documents: [
        sampleDocument({ key: 'young', pos: 1, versions: [{ seq: 1, value: null }], deadAt: 300 }),
        sampleDocument({ key: 'old', pos: 2, versions: [{ seq: 2, value: null }], deadAt: 100 }),
        sampleDocument({ collection: 'd', key: 'older', pos: 3, versions: [{ seq: 3, value: null }], deadAt: 99 }),
        sampleDocument({ key: 'alive', pos: 4 }),
      ],
    });
    const keys = (before: number, limit: number): string[] => store.dead(before, limit).map((d) => d.key);
    assert.deepEqual(keys(300, 10), ['older', 'old']);
    assert.deepEqual(keys(301, 2), ['older', 'old']);
    assert.deepEqual(keys(99, 10), []);
    store.commit({ documents: [sampleDocument({ key: 'old', pos: 5 })] });
    assert.deepEqual(keys(1000, 10), ['older', 'young']);
  });
}

function claimRanges(claim: Claim): void {
  const letters = ['a', 'b', 'c', 'd', 'e'].map((k, i) =>
    sampleDocument({ key: k, pos: i + 1, ...(k === 'c' ? { versions: [{ seq: 3 }, { replica: R2, seq: 3 }] } : {}) }),
  );
  const range = (after: string | null, upTo: string | null): KeyRange => ({
    after: after === null ? null : key(after),
    upTo: upTo === null ? null : key(upTo),
  });

  claim('a range excludes its first bound and includes its last', ({ store }) => {
    store.commit({ documents: letters });
    const keys = (r: KeyRange): string =>
      store
        .inRange(C, r, 10)
        .map((d) => d.key)
        .join('');
    assert.equal(keys(ALL), 'abcde');
    assert.equal(keys(range('a', 'c')), 'bc');
    assert.equal(keys(range(null, 'b')), 'ab');
    assert.equal(keys(range('d', null)), 'e');
    assert.equal(keys(range('bb', 'cc')), 'c');
    assert.equal(store.inRange(C, ALL, 2).length, 2);
  });

  claim('fingerprints of adjacent ranges add up to that of the whole', ({ store }) => {
    store.commit({ documents: letters });
    const sum = new FingerprintSum();
    for (const document of letters) for (const version of document.versions) sum.add(version.digest);
    const [whole] = store.fingerprints(C, [ALL]);
    assert.deepEqual(whole, sum.value());
    const parts = store.fingerprints(C, [range(null, 'b'), range('b', 'c'), range('c', null)]);
    assert.deepEqual(
      parts.map((part) => part.count),
      [2, 2, 2],
    );
    for (const lane of [0, 1, 2, 3] as const) {
      const total = parts.reduce((all, part) => (all + part.lanes[lane]) >>> 0, 0);
      assert.equal(total, whole!.lanes[lane]);
    }
  });

  claim('the fingerprint of nothing is empty', ({ store }) => {
    store.commit({ documents: letters });
    const found = store.fingerprints(C, [range('x', null), range('a', 'a')]);
    assert.ok(found.every((fingerprint) => isSameFingerprint(fingerprint, EMPTY_FINGERPRINT)));
    assert.deepEqual(store.fingerprints(D, [ALL]), [EMPTY_FINGERPRINT]);
    assert.deepEqual(store.fingerprints(C, []), []);
  });
}

function claimQueries(claim: Claim): void {
  const people = [
    { key: 'u1', age: 31, name: 'Ann' },
    { key: 'u2', age: 12, name: 'bob' },
    { key: 'u3', age: 31, name: 'Çem' },
    { key: 'u4', name: 'Dan' },
  ].map(({ key: k, ...value }, i) =>
    sampleDocument({ key: k, pos: i + 1, versions: [{ seq: i + 1, value: JSON.stringify(value) }] }),
  );

  claim('find returns the matching documents, sorted, skipped and limited', ({ store }) => {
    store.commit({ documents: people });
    const keys = (filter: object, options: object = {}): string =>
      store
        .find(C, parseQuery(filter, options))
        .map((found) => found.key)
        .join(' ');
    assert.equal(keys({}), 'u1 u2 u3 u4');
    assert.equal(keys({ age: 31 }), 'u1 u3');
    assert.equal(keys({ age: { $gte: 12 } }, { sort: { age: 1, name: -1 } }), 'u2 u3 u1');
    assert.equal(keys({}, { sort: { name: -1 } }), 'u3 u2 u4 u1');
    assert.equal(keys({}, { skip: 1, limit: 2 }), 'u2 u3');
    assert.equal(store.find(C, parseQuery({ age: 12 }))[0]!.value, people[1]!.value);
  });

  claim('count ignores sort, skip and limit', ({ store }) => {
    store.commit({ documents: people });
    assert.equal(store.count(C, parseQuery({ age: 31 }, { skip: 1, limit: 1 })), 2);
    assert.equal(store.count(D, parseQuery({})), 0);
  });

  claim('queries see what readers see: no tombstones, and siblings as resolved', ({ store }) => {
    store.commit({
      documents: [
        sampleDocument({ key: 'dead', pos: 1, versions: [{ seq: 1, value: null }] }),
        sampleDocument({ key: 'two', pos: 2, value: '{"x":1}', versions: [{ seq: 2 }, { replica: R2, seq: 1 }] }),
      ],
    });
    const filter: Filter = { kind: 'all' };
    const query = { filter, sort: [], skip: 0, limit: EVERYTHING };
    assert.deepEqual(store.find(C, query), [{ key: 'two', value: '{"x":1}' }]);
    assert.equal(store.count(C, query), 1);
  });
}
