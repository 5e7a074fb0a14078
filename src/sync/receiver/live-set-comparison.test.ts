/**
 * Goal: when the claim that concludes a comparison arrives, the receiver decides about the rows that it holds at that moment (R5),
 * and adopts nothing before it has asked about all of them. Method: two pure sessions over real engines, messages carried by
 * hand. While the claim travels, versions arrive by another path: enough to fill 0, 1, 2 … messages.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentKey } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import type { Replica } from '../../database/replica/index.ts';
import type { Message } from '../../net/messages/index.ts';
import { C, type End, Meeting, meet as meetWithin, openReplica, write } from '../test-meeting.ts';

const VERSIONS_MAX = 2;

/** The present versions of a document at one node, to be delivered to another one later. */
function staleOf(replica: Replica, key: DocumentKey): RemoteVersion[] {
  return replica.get(C, key)!.versions.map((version) => ({ ...version, collection: C, key }));
}

function meet(a: Replica, b: Replica, onSent: (from: Replica, message: Message) => undefined = () => undefined): void {
  meetWithin(a, b, { messageVersionsMax: VERSIONS_MAX }, onSent);
}

for (let late = 0; late <= 2 * VERSIONS_MAX + 1; late++)
  test(`${late} versions that arrive while a claim travels do not bring back what was deleted and purged`, () => {
    const [author, sender, receiver] = [openReplica(1), openReplica(2), openReplica(3)];
    const keys = Array.from({ length: late }, (_, i) => `late${i}` as DocumentKey);
    write(author, [...keys, 'kept' as DocumentKey, 'other' as DocumentKey], '{}');
    const stale = keys.flatMap((key) => staleOf(author, key));
    meet(author, sender);
    write(sender, [...keys, 'other' as DocumentKey], null);
    sender.purge(-1, 100);

    let claims = 0;
    meet(sender, receiver, (from, message) => {
      if (from !== sender || message.kind !== 'claim' || message.collections.every((c) => c.exchange === 0)) return;
      if (++claims === 1) receiver.applyRemote(stale, [], {});
    });
    assert.equal(claims, late === 0 ? 1 : 2, 'the claim came again once everything had been asked about');
    for (const key of keys) assert.equal(receiver.get(C, key), undefined, `${key} is back`);
    assert.equal(receiver.get(C, 'kept' as DocumentKey)?.value, '{}');
    assert.deepEqual(receiver.collection(C).knowledge, sender.collection(C).knowledge);
    assert.deepEqual(receiver.collection(C).purged, sender.collection(C).purged);
  });

test('nothing that was deleted stays in a range of more parts than fit into a message', () => {
  const [author, sender, receiver] = [openReplica(1), openReplica(2), openReplica(3)];
  const keys = Array.from({ length: 300 }, (_, i) => `k${1000 + i}` as DocumentKey);
  write(author, keys, '{}');
  meet(author, sender);
  meet(author, receiver);
  write(sender, keys.slice(-1), null);
  sender.purge(-1, 100);
  meetWithin(sender, receiver, { rangesPerMessageMax: 2 }, () => undefined);
  assert.equal(receiver.get(C, keys.at(-1)!), undefined);
  assert.deepEqual(receiver.collection(C).fingerprint, sender.collection(C).fingerprint);
});

test('the receiver asks page by page about what it holds beyond the sender', () => {
  const [author, sender, receiver] = [openReplica(1), openReplica(2), openReplica(3)];
  const keys = Array.from({ length: 41 }, (_, i) => `k${i}` as DocumentKey);
  write(author, keys, '{}');
  meet(author, sender);
  meet(author, receiver);
  write(sender, keys.slice(1), null);
  sender.purge(-1, 100);

  let unanswered = 0;
  let most = 0;
  meet(sender, receiver, (from, message) => {
    if (from === receiver && message.kind === 'check' && message.versions.length > 0) unanswered++;
    if (from === sender && message.kind === 'missing') unanswered--;
    most = Math.max(most, unanswered);
  });
  assert.ok(most > 0 && most <= 2, `${most} pages were asked about at a time`);
  assert.deepEqual(
    keys.filter((key) => receiver.get(C, key) !== undefined),
    keys.slice(0, 1),
  );
  assert.deepEqual(receiver.collection(C).knowledge, sender.collection(C).knowledge);
});

test('gone documents are dropped in slices, and the claim is adopted with the last one', () => {
  const [sender, receiver] = [openReplica(1), openReplica(2)];
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}` as DocumentKey);
  write(sender, [...keys, 'kept' as DocumentKey], '{}');
  meetWithin(sender, receiver, {});
  write(sender, keys, null);
  sender.purge(-1, 100);

  const dropped: number[] = [];
  receiver.onCommit(({ removed }) => void (removed.length > 0 && dropped.push(removed.length)));
  meetWithin(sender, receiver, {});
  assert.ok(dropped.length > 2 && Math.max(...dropped) < keys.length, `slices of ${dropped.join()}`);
  assert.equal(receiver.collection(C).documents, 1);
  assert.deepEqual(receiver.collection(C).knowledge, sender.collection(C).knowledge);
  assert.deepEqual(receiver.collection(C).purged, sender.collection(C).purged);
});

test('versions that a sender names as gone without being asked are not dropped', () => {
  const [sender, receiver] = [openReplica(1), openReplica(2)];
  const keys = Array.from({ length: 10 }, (_, i) => `k${i}` as DocumentKey);
  write(sender, keys, '{}');
  meetWithin(sender, receiver, {});
  write(sender, keys.slice(0, 1), null);
  sender.purge(-1, 100);
  const versions = keys.map((key, i) => ({ key, dot: { replica: sender.id, seq: i + 1 } }));
  const meeting = new Meeting(sender, receiver);
  const lie = (from: End, message: Message): undefined => {
    const exchange = message.kind === 'claim' ? message.collections[0]!.exchange : 0;
    if (from === 'a' && exchange > 0)
      meeting.step('b', { kind: 'message', message: { kind: 'missing', collection: C, exchange, versions } });
  };
  while (meeting.carry(lie));
  meeting.close();
  assert.equal(receiver.collection(C).documents, keys.length - 1);
  assert.deepEqual(receiver.collection(C).purged, sender.collection(C).purged);
});

test('a tombstone that the sender purged meanwhile stays until everything that it replaced is known', () => {
  const [author, sender, receiver] = [openReplica(1), openReplica(2), openReplica(3)];
  const key = 'deleted' as DocumentKey;
  write(author, [key], '{}');
  const stale = staleOf(author, key);
  receiver.applyRemote(stale, [], {});
  write(receiver, [key], null);
  meet(receiver, sender);
  const other = 'other' as DocumentKey;
  write(sender, [other], '{}');
  receiver.applyRemote(staleOf(sender, other), [], {});
  write(sender, [other], null);
  sender.purge(-1, 100);

  let hasPurged = false;
  meet(sender, receiver, (from, message) => {
    if (hasPurged || from !== sender || message.kind !== 'ranges') return;
    hasPurged = true;
    const { knowledge, purged } = author.collection(C);
    sender.applyRemote([], [{ collection: C, knowledge, purged, liveSet: undefined }], {});
    sender.purge(-1, 100);
    assert.equal(sender.get(C, key), undefined, 'it has learned all that the tombstone replaced');
  });
  assert.ok(hasPurged);
  receiver.applyRemote(stale, [], {});
  meet(sender, receiver);
  assert.equal(receiver.get(C, key)?.value ?? null, null, 'what was deleted is back');
  assert.deepEqual(receiver.collection(C).knowledge, sender.collection(C).knowledge);
});
