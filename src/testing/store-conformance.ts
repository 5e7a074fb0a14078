import assert from 'node:assert/strict';
import { HLC_ZERO } from '../core/clock/index.ts';
import { compareBytes, parseCollectionName, parseDocumentKey } from '../core/ids/index.ts';
import { type Filter, parseQuery } from '../core/query/index.ts';
import { EMPTY_FINGERPRINT, FingerprintSum, isSameFingerprint } from '../core/version/index.ts';
import type { KeyRange, Store, StoreBatch } from '../store/index.ts';
import { runStoreHistories } from './store-histories.ts';
import { sampleCheck, sampleDocument, sampleHead, sampleReplica } from './stored-documents.ts';

/** A store under test and what its kind can do beyond the port. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again from what is durable. Absent: it does not survive that. */
  readonly reopen?: () => Promise<Store>;
  /** Makes this commit fail half-way. */
  readonly failCommit: (store: Store, batch: StoreBatch) => void;
  /** Frees everything, whether the store was closed or not. */
  readonly dispose: () => Promise<void>;
}

export interface StoreConformanceOptions {
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** A new, empty store that keeps this many rows of its bounded logs. */
  readonly factory: (limits?: { chainLengthMax: number; goneLogMax: number }) => Promise<StoreUnderTest>;
  /** Multiplies the number of random histories. Default 1. */
  readonly scale?: number;
}

const C = parseCollectionName('c');
const D = parseCollectionName('d');
const R1 = sampleReplica(1);
const R2 = sampleReplica(2);
const R3 = sampleReplica(3);
const key = parseDocumentKey;
const ALL: KeyRange = { after: null, upTo: null };
const EVERYTHING = Number.POSITIVE_INFINITY;

/** What every adapter of the Store port must do. Run it with the test function of your runner and a factory. */
export function runStoreConformance(options: StoreConformanceOptions): void {
  const claim = (name: string, run: (under: StoreUnderTest) => Promise<void> | void, limits?: Limits): void => {
    options.test(name, async () => {
      const under = await options.factory(limits);
      try {
        await run(under);
      } finally {
        await under.dispose();
      }
    });
  };
  claimBasics(claim);
  claimVersions(claim);
  claimOrders(claim);
  claimStreams(claim);
  claimRanges(claim);
  claimLogs(claim);
  claimState(claim);
  claimQueries(claim);
  claimLife(claim);
  runStoreHistories(options);
}

type Limits = { chainLengthMax: number; goneLogMax: number };
type Claim = (name: string, run: (under: StoreUnderTest) => Promise<void> | void, limits?: Limits) => void;

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

  claim('of two states of one document in a batch the later one stays', ({ store }) => {
    const last = sampleDocument({ key: 'k', pos: 2 });
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 }), last] });
    assert.deepEqual(store.documents(C, null, 10), [last]);
  });

  claim('a caller cannot change what is stored through what it read', ({ store }) => {
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
  reads('a tombstone keeps its version and says when it arrived', {
    key: 'k',
    pos: 1,
    versions: [{ seq: 4, value: null }],
    deadAt: 1_767_225_600_123,
  });
  reads('siblings are kept with what the resolver made of them', {
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
  reads('field stamps are kept, and none is not the same as an empty list', {
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
  reads('a single version may be shown otherwise than it says', {
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
  reads('names and keys may hold any character that the edge lets in', {
    collection: "' ; DROP TABLE doc; --",
    key: 'nul \u0000 end \ud83d\ude00',
    pos: 1,
  });
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

  claim('documents go on after a key, whether it is there or not', ({ store }) => {
    store.commit({ documents: ['a', 'b', 'd'].map((k, i) => sampleDocument({ key: k, pos: i + 1 })) });
    const keysAfter = (after: string, limit: number): string[] =>
      store.documents(C, key(after), limit).map((d) => d.key);
    assert.deepEqual(keysAfter('a', 10), ['b', 'd']);
    assert.deepEqual(keysAfter('c', 10), ['d']);
    assert.deepEqual(keysAfter('a', 1), ['b']);
    assert.deepEqual(keysAfter('d', 10), []);
    assert.deepEqual(keysAfter('a', 0), []);
  });

  claim('documents leaves out the keys that it is told to, and still fills the page', ({ store }) => {
    store.commit({ documents: ['a', 'b', 'c', 'd'].map((k, i) => sampleDocument({ key: k, pos: i + 1 })) });
    const found = store.documents(C, null, 2, new Set([key('a'), key('c')]));
    assert.deepEqual(
      found.map((d) => d.key),
      ['b', 'd'],
    );
  });

  claim('the n-th key is counted from after a key', ({ store }) => {
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

  claim('the replicas that have live versions are told in byte order', ({ store }) => {
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

  claim('the dead come oldest first, and only those that arrived before the moment', ({ store }) => {
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

  claim('a range begins after its first and ends with its last key', ({ store }) => {
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

function claimLogs(claim: Claim): void {
  const small = { chainLengthMax: 3, goneLogMax: 3 };

  claim('a removed document leaves an entry in the log and no row', ({ store }) => {
    store.commit({
      documents: [sampleDocument({ key: 'k', pos: 1, versions: [{ seq: 1 }, { replica: R2, seq: 1 }] })],
    });
    const gone = { collection: C, key: key('k'), pos: 2, why: 'purged', deadSince: 1 } as const;
    store.commit({ removed: [gone] });
    assert.equal(store.get(C, key('k')), undefined);
    assert.deepEqual(store.changes(0, 10), []);
    assert.deepEqual(store.gone(0, 10), [gone]);
    assert.deepEqual(store.gone(2, 10), []);
    assert.deepEqual(store.delta(C, R2, 0, 10), []);
  });

  claim('a key that was removed can be written again', ({ store }) => {
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
    store.commit({ removed: [{ collection: C, key: key('k'), pos: 2, why: 'evicted', deadSince: null }] });
    const again = sampleDocument({ key: 'k', pos: 3 });
    store.commit({ documents: [again] });
    assert.deepEqual(store.documents(C, null, 10), [again]);
    assert.equal(store.gone(0, 10).length, 1);
  });

  claim(
    'the log of removals keeps the newest rows and says what it forgot',
    ({ store }) => {
      for (let pos = 1; pos <= 5; pos++) {
        store.commit({ removed: [{ collection: C, key: key(`k${pos}`), pos, why: 'dropped', deadSince: null }] });
      }
      assert.deepEqual(
        store.gone(0, 10).map(({ pos }) => pos),
        [3, 4, 5],
      );
      assert.equal(store.goneFrom(), 2);
      assert.deepEqual(
        store.gone(3, 1).map(({ pos }) => pos),
        [4],
      );
    },
    small,
  );

  claim(
    'the own chain keeps the newest checks',
    ({ store }) => {
      for (const seq of [1, 5, 6, 9]) store.commit({ head: sampleHead({ seq, check: sampleCheck(seq) }), chain: true });
      assert.equal(store.chainFrom(), 5);
      assert.deepEqual(
        [1, 5, 6, 7, 9].map((seq) => store.chainCheck(seq)),
        [undefined, sampleCheck(5), sampleCheck(6), undefined, sampleCheck(9)],
      );
    },
    small,
  );

  claim('a new life begins with an empty chain', ({ store }) => {
    store.commit({ head: sampleHead({ seq: 4, check: sampleCheck(4) }), chain: true });
    store.commit({ head: sampleHead({ replica: R2, seq: 1, check: sampleCheck(9) }), chain: true, resetChain: true });
    assert.equal(store.chainFrom(), 1);
    assert.equal(store.chainCheck(4), undefined);
    assert.equal(store.chainCheck(1), sampleCheck(9));
  });

  claim('entries of a space come in order of id and go when they are null', ({ store }) => {
    store.commit({
      entries: [
        { space: 'queue', id: 10, data: '{"n":10}' },
        { space: 'queue', id: 2, data: '{"n":2}' },
        { space: 'events', id: 2, data: '{"other":true}' },
      ],
    });
    store.commit({
      entries: [
        { space: 'queue', id: 3, data: '3' },
        { space: 'queue', id: 2, data: null },
        { space: 'queue', id: 10, data: '"new"' },
      ],
    });
    assert.deepEqual(store.entries('queue', 0, 10), [
      { id: 3, data: '3' },
      { id: 10, data: '"new"' },
    ]);
    assert.deepEqual(store.entries('queue', 3, 10), [{ id: 10, data: '"new"' }]);
    assert.equal(store.entries('queue', 0, 1).length, 1);
    assert.equal(store.entries('events', 0, 10).length, 1);
    assert.deepEqual(store.entries('peers', 0, 10), []);
  });
}

function claimState(claim: Claim): void {
  claim('the head is the one of the last commit that had one', ({ store }) => {
    const head = sampleHead({ seq: 2 ** 53 - 1, check: sampleCheck(7), hlc: (2 ** 53 - 1) as never, pos: 12 });
    store.commit({ head: sampleHead({ seq: 1 }) });
    store.commit({ head });
    store.commit({ meta: new Map([['a', 'b']]) });
    assert.deepEqual(store.load().head, head);
  });

  claim('collections read back, changed ones once', ({ store }) => {
    const row = (name: string, documents: number): Parameters<Store['commit']>[0]['collections'] => [
      {
        name: parseCollectionName(name),
        state: 'wanted',
        documents,
        fingerprint: { count: 2 ** 40, lanes: [0, 1, 2 ** 31, 2 ** 32 - 1] },
        resolver: 'my own@1',
      },
    ];
    store.commit({ collections: row('zebra', 1) ?? [] });
    store.commit({ collections: [...row('zebra', 2)!, { ...row('apple', 3)![0]!, state: 'frozen' }] });
    assert.deepEqual(store.load().collections, [{ ...row('apple', 3)![0]!, state: 'frozen' }, ...row('zebra', 2)!]);
  });

  claim('documents alone do not make a collection', ({ store }) => {
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
    assert.deepEqual(store.load().collections, []);
  });

  claim('knowledge and purge lines are kept apart', ({ store }) => {
    store.commit({
      knowledge: [
        { collection: C, replica: R1, seq: 5, check: sampleCheck(5) },
        { collection: D, replica: R1, seq: 0, check: null },
      ],
      purged: [{ collection: C, replica: R2, seq: 3 }],
    });
    store.commit({
      knowledge: [{ collection: C, replica: R2, seq: 4, check: null }],
      purged: [{ collection: C, replica: R1, seq: 1 }],
    });
    const { knowledge, purgeLines } = store.load();
    assert.deepEqual(
      knowledge,
      new Map([
        [
          C,
          new Map([
            [R1, { seq: 5, check: sampleCheck(5) }],
            [R2, { seq: 4, check: null }],
          ]),
        ],
        [D, new Map([[R1, { seq: 0, check: null }]])],
      ]),
    );
    assert.deepEqual(
      purgeLines.get(C),
      new Map([
        [R1, 1],
        [R2, 3],
      ]),
    );
    assert.equal(purgeLines.get(D), undefined);
  });

  claim('forgetting a collection takes its knowledge and leaves its purge line', ({ store }) => {
    store.commit({
      knowledge: [
        { collection: C, replica: R1, seq: 5, check: null },
        { collection: D, replica: R1, seq: 6, check: null },
      ],
      purged: [{ collection: C, replica: R1, seq: 3 }],
    });
    store.commit({ forget: [C], knowledge: [{ collection: C, replica: R2, seq: 1, check: null }] });
    const { knowledge, purgeLines } = store.load();
    assert.deepEqual(knowledge.get(C), new Map([[R2, { seq: 1, check: null }]]));
    assert.deepEqual(knowledge.get(D), new Map([[R1, { seq: 6, check: null }]]));
    assert.deepEqual(purgeLines.get(C), new Map([[R1, 3]]));
  });

  claim('meta texts are set and removed', ({ store }) => {
    store.commit({
      meta: new Map([
        ['generation', 'mine'],
        ['b', ''],
      ]),
    });
    store.commit({
      meta: new Map([
        ['b', null],
        ['c', 'x'],
      ]),
    });
    assert.deepEqual(
      store.load().meta,
      new Map([
        ['generation', 'mine'],
        ['c', 'x'],
      ]),
    );
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

  claim('find answers with the documents that fit, sorted, skipped and limited', ({ store }) => {
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

  claim('count takes no notice of sort, skip and limit', ({ store }) => {
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

function claimLife(claim: Claim): void {
  claim('a failed commit changes nothing', ({ store, failCommit }) => {
    const before = sampleDocument({ key: 'k', pos: 1, versions: [{ seq: 1 }, { replica: R2, seq: 1 }] });
    store.commit({ head: sampleHead({ seq: 1 }), documents: [before], meta: new Map([['a', '1']]) });
    const batch: StoreBatch = {
      head: sampleHead({ replica: R3, seq: 2 }),
      chain: true,
      documents: [
        sampleDocument({ key: 'k', pos: 2 }),
        sampleDocument({ collection: 'd', key: 'n', pos: 3, versions: [{ replica: R3, seq: 1 }] }),
      ],
      removed: [{ collection: C, key: key('k'), pos: 4, why: 'dropped', deadSince: null }],
      collections: [{ name: D, state: 'wanted', documents: 1, fingerprint: EMPTY_FINGERPRINT, resolver: 'lww@1' }],
      knowledge: [{ collection: D, replica: R3, seq: 1, check: null }],
      meta: new Map([['a', '2']]),
      entries: [{ space: 'events', id: 1, data: '1' }],
    };
    assert.throws(() => failCommit(store, batch));
    const image = store.load();
    assert.deepEqual(image.head, sampleHead({ seq: 1 }));
    assert.deepEqual(image.collections, []);
    assert.equal(image.knowledge.size, 0);
    assert.equal(image.meta.get('a'), '1');
    assert.deepEqual(store.changes(0, 10), [before]);
    assert.deepEqual([store.gone(0, 10), store.entries('events', 0, 10), store.chainFrom()], [[], [], 0]);
    store.commit(batch);
    assert.deepEqual(store.liveReplicas(D), [R3], 'what the failed commit had named is named anew');
  });

  claim('flushes asked for at the same time all resolve', async ({ store }) => {
    const flushes: Promise<void>[] = [];
    for (let pos = 1; pos <= 20; pos++) {
      store.commit({ documents: [sampleDocument({ key: `k${pos}`, pos })] });
      flushes.push(store.flush());
    }
    await Promise.all(flushes);
    await store.flush();
    assert.equal(store.changes(0, 100).length, 20);
  });

  claim('after close every call says that the store is closed', async ({ store }) => {
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
    await Promise.all([store.close(), store.close()]);
    await store.close();
    const isClosed = { reason: 'DATABASE_CLOSED' };
    assert.throws(() => store.get(C, key('k')), isClosed);
    assert.throws(() => store.load(), isClosed);
    assert.throws(() => store.commit({}), isClosed);
    await assert.rejects(store.flush(), isClosed);
  });

  claim('what was committed is there after closing and opening again', async ({ store, reopen }) => {
    if (reopen === undefined) return;
    const documents = [
      sampleDocument({ key: 'k', pos: 1, versions: [{ seq: 1 }, { replica: R2, seq: 1 }] }),
      sampleDocument({ collection: 'd', key: 'k', pos: 2, lineFirst: 2, lineReplica: R1 }),
    ];
    const head = sampleHead({ seq: 2, pos: 2 });
    store.commit({
      head,
      chain: true,
      documents,
      knowledge: [{ collection: C, replica: R1, seq: 2, check: sampleCheck(2) }],
      meta: new Map([['a', 'b']]),
      entries: [{ space: 'queue', id: 1, data: '1' }],
      removed: [{ collection: C, key: key('x'), pos: 3, why: 'damaged', deadSince: null }],
    });
    const image = store.load();
    const again = await reopen();
    assert.deepEqual(again.load(), image);
    assert.deepEqual(again.changes(0, 10), documents);
    assert.equal(again.gone(0, 10).length + again.entries('queue', 0, 10).length, 2);
    assert.equal(again.chainCheck(2), head.check);
  });
}
