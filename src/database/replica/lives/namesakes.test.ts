/**
 * Goal: two writes with the same dot are recognised as a fork (R9, I5). Method: a replica that holds versions of one life of an
 * author gets versions of another life: in the same document, in other documents, and beyond one page of rows.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import { createReplicaId } from '../../../core/ids/index.ts';
import type { RemoteVersion } from '../../../core/replication/index.ts';
import { EMPTY_CONTEXT, FORMAT_JSON } from '../../../core/version/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../../testing/index.ts';

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

/** The seqs at which a replica that holds `held` finds a fork when it gets `remote`. */
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

test('a version that arrives twice is no fork', () => {
  const both = [version(1, 'a', 'first'), version(2, 'b', 'first')];
  assert.deepEqual(forkedSeqs(both, both), []);
});

test('another value under the dot of a version in the same document is a fork', () => {
  assert.deepEqual(forkedSeqs([version(1, 'a', 'first')], [version(1, 'a', 'second')]), [1]);
});

test('a version with the dot of a version in another document is a fork', () => {
  assert.deepEqual(forkedSeqs([version(1, 'a', 'first')], [version(1, 'b', 'second'), version(2, 'c', 'second')]), [1]);
});

test('versions of two documents with the same dot in one message are a fork', () => {
  assert.deepEqual(forkedSeqs([], [version(1, 'a', 'first'), version(1, 'b', 'second')]), [1]);
  assert.deepEqual(forkedSeqs([version(1, 'a', 'first')], [version(3, 'c', 'first'), version(3, 'd', 'second')]), [3]);
});

test("an unknown version under this replica's id is a fork, even if it used that seq in another collection", () => {
  const { replica } = openMemoryReplica({ clock, random });
  for (const collection of ['stock', 'sales', 'sales'] as CollectionName[])
    replica.write([{ writes: [{ collection, key: `k${replica.seq}` as DocumentKey, value: '{}' }] }]);
  const mine = (seq: number): RemoteVersion => ({ ...version(seq, 'x', 'other'), replica: replica.id });
  const seen: RemoteVersion = { ...version(7, 'y', 'other'), context: [{ replica: replica.id, first: 2, last: 2 }] };
  assert.equal(replica.applyRemote([mine(1)], []).kind, 'applied');
  assert.equal(replica.applyRemote([mine(2)], []).kind, 'forked');
  assert.equal(replica.applyRemote([seen], []).kind, 'forked');
});

test('a fork is found beyond the first page of rows', () => {
  const held = Array.from({ length: 200 }, (_, i) => version(i + 2, `k${i}`, 'first'));
  assert.deepEqual(forkedSeqs(held, [version(1, 'x', 'second'), version(201, 'y', 'second')]), [201]);
});

test('forks are found in whatever order the versions of the author arrive', () => {
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
