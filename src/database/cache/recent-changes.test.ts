// Goal: RecentChanges answers exactly as the store does, or not at all. Method: random commits to a memory store and to
// RecentChanges; both are asked the same questions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hlc } from '../../core/clock/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import { sealVersion } from '../../core/version/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import { createMemoryStore } from '../../store/memory/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { RecentChanges } from './recent-changes.ts';

const collection = 'stock' as CollectionName;
const replica = 'a'.repeat(32) as ReplicaId;

function documentAt(key: DocumentKey, pos: number): StoredDocument {
  const body = {
    replica,
    seq: pos,
    first: pos,
    hlc: pos as Hlc,
    context: [],
    value: `{"pos":${pos}}`,
    stamps: null,
    format: 0,
  };
  const versions = [sealVersion(collection, key, body)];
  return { collection, key, pos, versions, lineFirst: 0, lineReplica: null, deadAt: null, value: body.value };
}

test('it returns the same changes as the store, or undefined', () => {
  const seed = 20261123;
  const random = createSeededRandom(seed);
  const store = createMemoryStore();
  const recent = new RecentChanges(8, 10_000);
  recent.reset(0);
  let known = 0;
  for (let pos = 0, i = 0; i < 2000; i++) {
    const keys = new Set(
      Array.from({ length: random.integer(1, 4) }, () => `k${random.integer(0, 12)}` as DocumentKey),
    );
    const documents = [...keys].map((key) => documentAt(key, ++pos)).reverse();
    const gone = `k${random.integer(0, 12)}` as DocumentKey;
    const removed =
      random.chance(0.2) && !keys.has(gone) && store.get(collection, gone) !== undefined
        ? [{ collection, key: gone, pos: ++pos, why: 'dropped' as const, deadSince: null }]
        : [];
    store.commit({ documents, removed });
    recent.commit({ documents, removed });
    const after = Math.max(0, pos - random.integer(0, 14));
    const limit = random.integer(1, 6);
    const found = recent.after(after, limit);
    if (found === undefined) continue;
    known++;
    assert.deepEqual(found, store.changes(after, limit), `seed ${seed}, step ${i}`);
  }
  assert.ok(known > 500, `only ${known} answers`);
});

test('documents beyond the bound in characters push the oldest out', () => {
  const recent = new RecentChanges(100, 20);
  recent.reset(0);
  recent.commit({ documents: [documentAt('a' as DocumentKey, 1)] });
  recent.commit({ documents: [documentAt('b' as DocumentKey, 2), documentAt('c' as DocumentKey, 3)] });
  assert.equal(recent.after(0, 10), undefined);
  assert.deepEqual(
    recent.after(1, 10)?.map(({ key }) => key),
    ['b', 'c'],
  );
});

test('the lines of a context count towards the bound', () => {
  const recent = new RecentChanges(100, 130);
  recent.reset(0);
  const of = (key: string, pos: number, lines: number) => {
    const document = documentAt(key as DocumentKey, pos);
    const context = Array.from({ length: lines }, (_, i) => ({ replica, first: i + 1, last: i + 1 }));
    return { ...document, versions: document.versions.map((version) => ({ ...version, context })) };
  };
  recent.commit({ documents: [of('a', 1, 0), of('b', 2, 1)] });
  assert.equal(recent.size, 2);
  recent.commit({ documents: [of('c', 3, 1)] });
  assert.equal(recent.size, 3);
  recent.commit({ documents: [of('d', 4, 2)] });
  assert.equal(recent.size, 1);
});

test('it holds nothing while nobody asks, and new changes again after somebody does', () => {
  const recent = new RecentChanges(3, 10_000);
  recent.reset(0);
  const commit = (pos: number) => recent.commit({ documents: [documentAt(`k${pos}` as DocumentKey, pos)] });
  for (const pos of [1, 2, 3]) commit(pos);
  assert.equal(recent.size, 3);
  commit(4);
  assert.equal(recent.size, 0);
  commit(5);
  assert.equal(recent.size, 0);
  assert.equal(recent.after(2, 10), undefined);
  assert.deepEqual(recent.after(5, 10), []);
  commit(6);
  assert.deepEqual(recent.after(4, 10), undefined);
  assert.deepEqual(
    recent.after(5, 10)?.map(({ pos }) => pos),
    [6],
  );
});
