import assert from 'node:assert/strict';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import type { Store } from '../../store/index.ts';
import { sampleCheck, sampleDocument, sampleHead, sampleReplica } from '../stored-documents.ts';
import type { Claim } from './store-under-test.ts';

const C = parseCollectionName('c');
const D = parseCollectionName('d');
const R1 = sampleReplica(1);
const R2 = sampleReplica(2);
const key = parseDocumentKey;

/** Bounded logs and small state. */
export function claimState(claim: Claim): void {
  claimLogs(claim);
  claimSmallState(claim);
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

  claim('a removed key can be written again', ({ store }) => {
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
    store.commit({ removed: [{ collection: C, key: key('k'), pos: 2, why: 'evicted', deadSince: null }] });
    const again = sampleDocument({ key: 'k', pos: 3 });
    store.commit({ documents: [again] });
    assert.deepEqual(store.documents(C, null, 10), [again]);
    assert.equal(store.gone(0, 10).length, 1);
  });

  claim(
    'the log of removals keeps the newest rows, and goneFrom says up to where it forgot',
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
    'the chain of own checks keeps the newest ones',
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

  claim('entries of a space are listed in order of id, and null removes one', ({ store }) => {
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
    assert.deepEqual(store.entries('blobs', 0, 10), []);
  });
}

function claimSmallState(claim: Claim): void {
  claim('the head is that of the last commit that had one', ({ store }) => {
    const head = sampleHead({ seq: 2 ** 53 - 1, check: sampleCheck(7), hlc: (2 ** 53 - 1) as never, pos: 12 });
    store.commit({ head: sampleHead({ seq: 1 }) });
    store.commit({ head });
    store.commit({ meta: new Map([['a', 'b']]) });
    assert.deepEqual(store.load().head, head);
  });

  claim('collections read back, a changed one only in its last state', ({ store }) => {
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

  claim('forgetting a collection removes its knowledge and keeps its purge line', ({ store }) => {
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
    assert.deepEqual(
      ['generation', 'b', 'c'].map((name) => store.meta(name)),
      ['mine', undefined, 'x'],
    );
  });
}
