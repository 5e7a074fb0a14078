/**
 * Goal: what very many replicas wrote is sent in messages that the wire format allows, whether many documents have some lines of
 * context or few have very many; a document that fits no message cannot be written. Method: two pure sessions over real engines,
 * each message encoded and decoded on its way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../core/config/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../core/ids/index.ts';
import type { RemoteVersion } from '../core/replication/index.ts';
import { type Check, type Known, type Line, sealVersion } from '../core/version/index.ts';
import type { Replica } from '../database/replica/index.ts';
import { createDecoder, createEncoder, type Message } from '../net/messages/index.ts';
import { sampleVersion } from '../testing/index.ts';
import { C, type End, Meeting, openReplica } from './test-meeting.ts';

const AUTHOR = 'f'.repeat(32) as ReplicaId;
const CHECK = '0123456789abcdef' as Check;

function replicaId(n: number): ReplicaId {
  return n.toString(16).padStart(32, '0') as ReplicaId;
}

function versionOf(seq: number, lines: number, replica = AUTHOR): RemoteVersion {
  const context = Array.from({ length: lines }, (_, n): Line => ({ replica: replicaId(n + 1), first: 1, last: 1 }));
  const key = `k${seq}` as DocumentKey;
  const version = sealVersion(C, key, {
    ...sampleVersion(C, key, { value: '{}' }),
    replica,
    seq,
    first: seq,
    context,
  });
  return { ...version, collection: C, key };
}

function hold(replica: Replica, documents: number, lines: number): void {
  for (let seq = 1; seq <= documents; seq++) replica.applyRemote([versionOf(seq, lines)], [], {});
}

/** Passes messages through the wire format. Throws if one does not fit. */
function wire(): (from: End, message: Message) => Message | undefined {
  const ends = {
    a: { encoder: createEncoder({ zstd: false }), decoder: createDecoder() },
    b: { encoder: createEncoder({ zstd: false }), decoder: createDecoder() },
  };
  return (from, message) => ends[from].decoder.decode(ends[from].encoder.encode(message));
}

for (const [documents, lines] of [
  [3000, 40],
  [60, 2000],
  [3, 20_000],
] as const)
  test(`${documents} documents with a context of ${lines} replicas arrive`, () => {
    const [a, b] = [openReplica(1), openReplica(2)];
    hold(a, documents, lines);
    const meeting = new Meeting(a, b);
    const onSent = wire();
    while (meeting.carry(onSent));
    meeting.close();
    assert.deepEqual(b.collection(C).fingerprint, a.collection(C).fingerprint);
    assert.equal(b.collection(C).documents, documents);
  });

test('small values of many replicas with long contexts are not all sent together', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  for (let seq = 1; seq <= 3000; seq++) a.applyRemote([versionOf(seq, 0, replicaId(1))], [], {});
  for (let n = 1; n <= 60; n++) a.applyRemote([versionOf(3000 + n, 10_000, replicaId(50_000 + n))], [], {});
  const meeting = new Meeting(a, b);
  while (meeting.carry((_from, message) => (message.kind === 'ack' ? null : undefined)));
  const { unackedBytes } = meeting.sessions.a.load;
  const max = LIMITS.sessionCreditBytes + 2 * LIMITS.messageBytesMax;
  assert.ok(unackedBytes > LIMITS.messageBytesMax && unackedBytes < max, `${unackedBytes} bytes at once`);
});

test('knowledge of many replicas in many collections is claimed in several messages', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const names = Array.from({ length: 64 }, (_, n) => `c${n}` as CollectionName);
  for (const collection of names) a.write([{ writes: [{ collection, key: 'k' as DocumentKey, value: '{}' }] }]);
  const meeting = new Meeting(a, b);
  const onSent = wire();
  while (meeting.carry(onSent));

  const knowledge = new Map(
    Array.from({ length: 600 }, (_, n): [ReplicaId, Known] => [replicaId(n + 1), { seq: 1, check: CHECK }]),
  );
  for (const collection of names)
    a.applyRemote([], [{ collection, knowledge, purged: new Map(), liveSet: undefined }], {});
  meeting.step('a', { kind: 'committed' });
  meeting.wait(1000);
  while (meeting.carry(onSent));
  meeting.close();
  for (const collection of names) assert.equal(b.collection(collection).knowledge.size, 601);
});

test('writing a document that more replicas wrote than a message can name is refused, other documents are not', () => {
  const replica = openReplica(1);
  replica.applyRemote([versionOf(1, LIMITS.contextLinesMax), versionOf(2, 10)], [], {});
  const [refused, written] = ['k1', 'k2'].flatMap((key) =>
    replica.write([{ writes: [{ collection: C, key: key as DocumentKey, value: '{"n":1}' }] }]),
  );
  assert.equal(refused!.kind === 'refused' && refused!.error.reason, 'DOCUMENT_TOO_LARGE');
  assert.equal(written!.kind, 'written');
  assert.equal(replica.get(C, 'k1' as DocumentKey)?.value, '{}');
});

test('an endless live group is applied in parts', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const meeting = new Meeting(a, b, { limits: { liveGroupVersionsMax: 10 } });
  while (meeting.carry());
  for (let seq = 1; seq <= 100; seq++)
    meeting.step('b', {
      kind: 'message',
      message: { kind: 'versions', batch: seq, more: true, versions: [versionOf(seq, 0)] },
    });
  meeting.close();
  assert.ok(b.collection(C).documents >= 80, `${b.collection(C).documents} of 100 documents were applied`);
});

test('a live group counts by its contexts too', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const meeting = new Meeting(a, b, { limits: { liveGroupBytesMax: 10_000 } });
  while (meeting.carry());
  for (let seq = 1; seq <= 20; seq++)
    meeting.step('b', {
      kind: 'message',
      message: { kind: 'versions', batch: seq, more: true, versions: [versionOf(seq, 100)] },
    });
  meeting.close();
  assert.ok(b.collection(C).documents >= 15, `${b.collection(C).documents} of 20 documents were applied`);
});

test('the largest transaction becomes visible as a whole even if hardly any credit is left', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const meeting = new Meeting(a, b, { limits: { sessionCreditBytes: 1000 } });
  const onSent = wire();
  while (meeting.carry(onSent));
  const count = LIMITS.transactionDocumentsMax;
  const text = 'x'.repeat(LIMITS.transactionBytesMax / count - 20);
  const writes = Array.from({ length: count }, (_, n) => ({
    collection: `c${n % 100}` as CollectionName,
    key: `k${n}` as DocumentKey,
    value: JSON.stringify({ text }),
  }));
  const changed: number[] = [];
  b.onCommit((notice) => void (notice.changed.length > 0 && changed.push(notice.changed.length)));
  assert.equal(a.write([{ writes }])[0]!.kind, 'written');
  meeting.step('a', { kind: 'committed' });
  while (meeting.carry(onSent));
  meeting.close();
  assert.deepEqual(changed, [count]);
});

test('the largest document under the longest names arrives, both in a delta and live', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const [collection, key] = ['c'.repeat(64) as CollectionName, 'k'.repeat(1024) as DocumentKey];
  const onSent = wire();
  const values = ['é', 'ü'].map((letter) =>
    JSON.stringify({ text: letter.repeat((LIMITS.documentBytesMax - 20) / 2) }),
  );
  a.write([{ writes: [{ collection, key, value: values[0]! }] }]);
  const meeting = new Meeting(a, b);
  while (meeting.carry(onSent));
  assert.equal(b.get(collection, key)?.value, values[0]);
  a.write([{ writes: [{ collection, key, value: values[1]! }] }]);
  meeting.step('a', { kind: 'committed' });
  while (meeting.carry(onSent));
  meeting.close();
  assert.equal(b.get(collection, key)?.value, values[1]);
});
