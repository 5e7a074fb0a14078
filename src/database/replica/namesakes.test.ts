/**
 * Goal: two writes under one name never pass for one (R9, I5). Method: versions of another life of the same author come to a
 * replica that holds those of the first: in the same document, in other documents, and behind more rows than one page.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { createReplicaId } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import { EMPTY_CONTEXT, FORMAT_JSON } from '../../core/version/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';

const C = 'stock' as CollectionName;
const clock = createManualClock();
const random = createSeededRandom(11);
const author = createReplicaId(random);

function version(seq: number, key: string, life: string): RemoteVersion {
  const hlc = (clock.now() * 1000 + seq) as RemoteVersion['hlc'];
  const text = { value: JSON.stringify({ life }), stamps: null, format: FORMAT_JSON };
  return {
    collection: C,
    key: key as DocumentKey,
    replica: author,
    seq,
    first: seq,
    hlc,
    context: EMPTY_CONTEXT,
    ...text,
  };
}

/** Names that the replica says two lives have written, when it holds `held` and gets `remote`. */
function forkedSeqs(held: readonly RemoteVersion[], remote: readonly RemoteVersion[]): number[] {
  const { replica } = openMemoryReplica({ clock, random });
  replica.applyRemote(held, []);
  const outcome = replica.applyRemote(remote, []);
  assert.ok(outcome.kind === 'applied');
  for (const { replica: of, checks } of outcome.forks) {
    assert.equal(of, author);
    assert.notEqual(checks[0], checks[1]);
  }
  return outcome.forks.map(({ seq }) => seq);
}

test('what comes twice is the same write', () => {
  const both = [version(1, 'a', 'first'), version(2, 'b', 'first')];
  assert.deepEqual(forkedSeqs(both, both), []);
});

test('another content under a name that is held in the document is the write of another life', () => {
  assert.deepEqual(forkedSeqs([version(1, 'a', 'first')], [version(1, 'a', 'second')]), [1]);
});

test('a name that another document holds is that of another life', () => {
  assert.deepEqual(forkedSeqs([version(1, 'a', 'first')], [version(1, 'b', 'second'), version(2, 'c', 'second')]), [1]);
});

test('two documents that come together under one name are writes of two lives', () => {
  assert.deepEqual(forkedSeqs([], [version(1, 'a', 'first'), version(1, 'b', 'second')]), [1]);
  assert.deepEqual(forkedSeqs([version(1, 'a', 'first')], [version(3, 'c', 'first'), version(3, 'd', 'second')]), [3]);
});

test('a version of mine that I do not know is that of another life, though I wrote under that name in another collection', () => {
  const { replica } = openMemoryReplica({ clock, random });
  for (const collection of ['stock', 'sales', 'sales'] as CollectionName[])
    replica.write([{ writes: [{ collection, key: `k${replica.seq}` as DocumentKey, value: '{}' }] }]);
  const mine = (seq: number): RemoteVersion => ({ ...version(seq, 'x', 'other'), replica: replica.id });
  const seen: RemoteVersion = { ...version(7, 'y', 'other'), context: [{ replica: replica.id, first: 2, last: 2 }] };
  assert.equal(replica.applyRemote([mine(1)], []).kind, 'applied');
  assert.equal(replica.applyRemote([mine(2)], []).kind, 'forked');
  assert.equal(replica.applyRemote([seen], []).kind, 'forked');
});

test('the name is found behind any number of others', () => {
  const held = Array.from({ length: 200 }, (_, i) => version(i + 2, `k${i}`, 'first'));
  assert.deepEqual(forkedSeqs(held, [version(1, 'x', 'second'), version(201, 'y', 'second')]), [201]);
});

test('names are found in whatever order versions of their author come', () => {
  const { replica } = openMemoryReplica({ clock, random });
  const forked = (...remote: RemoteVersion[]): number[] => {
    const outcome = replica.applyRemote(remote, []);
    assert.ok(outcome.kind === 'applied');
    return outcome.forks.map(({ seq }) => seq);
  };
  assert.deepEqual(forked(version(5, 'e', 'first'), version(7, 'g', 'first')), []);
  assert.deepEqual(forked(version(3, 'c', 'first')), [], 'older than all that is held');
  assert.deepEqual(forked(version(9, 'i', 'first')), [], 'newer than all that is held');
  assert.deepEqual(forked(version(9, 'j', 'second')), [9]);
  assert.deepEqual(forked(version(10, 'k', 'first'), version(7, 'l', 'second')), [7]);
  assert.deepEqual(forked(version(3, 'm', 'second')), [3]);
  assert.deepEqual(forked(version(10, 'n', 'second')), [10]);
});
