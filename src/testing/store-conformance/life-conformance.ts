import assert from 'node:assert/strict';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { EMPTY_FINGERPRINT } from '../../core/version/index.ts';
import type { StoreBatch } from '../../store/index.ts';
import { sampleCheck, sampleDocument, sampleHead, sampleReplica } from '../stored-documents.ts';
import type { Claim } from './store-under-test.ts';

const C = parseCollectionName('c');
const D = parseCollectionName('d');
const R1 = sampleReplica(1);
const R2 = sampleReplica(2);
const R3 = sampleReplica(3);
const key = parseDocumentKey;

/** Failed commits, flushes, closing and reopening. */
export function claimLife(claim: Claim): void {
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

  claim('simultaneous flushes all resolve', async ({ store }) => {
    const flushes: Promise<void>[] = [];
    for (let pos = 1; pos <= 20; pos++) {
      store.commit({ documents: [sampleDocument({ key: `k${pos}`, pos })] });
      flushes.push(store.flush());
    }
    await Promise.all(flushes);
    await store.flush();
    assert.equal(store.changes(0, 100).length, 20);
  });

  claim('after close every call fails with DATABASE_CLOSED', async ({ store }) => {
    store.commit({ documents: [sampleDocument({ key: 'k', pos: 1 })] });
    await Promise.all([store.close(), store.close()]);
    await store.close();
    const isClosed = { reason: 'DATABASE_CLOSED' };
    assert.throws(() => store.get(C, key('k')), isClosed);
    assert.throws(() => store.load(), isClosed);
    assert.throws(() => store.commit({}), isClosed);
    await assert.rejects(store.flush(), isClosed);
  });

  claim('commits are there after closing and reopening', async ({ store, reopen }) => {
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
