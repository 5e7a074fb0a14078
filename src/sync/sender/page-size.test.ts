/**
 * Goal: a page stays within about one message, whatever was sent before it, and a cut live stream of blobs is resumed where it
 * was. Method: pure sessions over real engines on memory stores, messages carried by hand, acknowledgements withheld.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { BLOBS_COLLECTION, type CollectionName, type DocumentKey } from '../../core/ids/index.ts';
import type { Replica } from '../../database/replica/index.ts';
import type { Message } from '../../net/messages/index.ts';
import { type End, Meeting, openReplica } from '../test-meeting.ts';

function write(replica: Replica, collection: string, count: number, characters: number): void {
  const value = `{"pad":"${'x'.repeat(characters)}"}`;
  for (let n = 0; n < count; n++) {
    const key = `${replica.seq}` as DocumentKey;
    replica.write([{ writes: [{ collection: collection as CollectionName, key, value }] }]);
  }
}

/** Carries messages, except acknowledgements, until none is left or enough versions arrived. Returns these versions. */
function carry(
  meeting: Meeting,
  { acks, versionsMax = Infinity }: { readonly acks: boolean; readonly versionsMax?: number },
): number {
  let versions = 0;
  const count = (_from: End, message: Message): null | undefined => {
    if (message.kind === 'versions') versions += message.versions.length;
    return message.kind === 'ack' && !acks ? null : undefined;
  };
  while (versions < versionsMax && meeting.carry(count));
  return versions;
}

function replicas(): [Replica, Replica] {
  return [openReplica(1), openReplica(2)];
}

const OVER = LIMITS.sessionCreditBytes + 2 * LIMITS.messageBytesMax;

test('large documents after small ones are not all sent together', () => {
  const [a, b] = replicas();
  write(a, 'c', 3000, 10);
  write(a, 'c', 200, 170_000);
  const pair = new Meeting(a, b);
  carry(pair, { acks: false });
  const { unackedBytes } = pair.sessions.a.load;
  assert.ok(unackedBytes > LIMITS.messageBytesMax && unackedBytes < OVER, `${unackedBytes} bytes at once`);
});

test('a round of small documents is not cut into small messages', () => {
  const [a, b] = replicas();
  write(a, 'c', 200, 10);
  const sizes: number[] = [];
  const note = (_from: End, message: Message): undefined => {
    if (message.kind === 'versions') sizes.push(message.versions.length);
  };
  const pair = new Meeting(a, b);
  while (pair.carry(note));
  assert.deepEqual(sizes, [200]);
});

test('a long backlog of a live stream is not all sent together either', () => {
  const [a, b] = replicas();
  write(a, 'c', 1, 10);
  const pair = new Meeting(a, b);
  carry(pair, { acks: true });
  write(a, 'c', 200, 170_000);
  pair.step('a', { kind: 'committed' });
  carry(pair, { acks: false });
  assert.ok(pair.sessions.a.load.unackedBytes < OVER, `${pair.sessions.a.load.unackedBytes} bytes at once`);
});

test('chunks stored while nodes are connected are sent once, however often the stream is cut', () => {
  const [a, b] = replicas();
  write(a, BLOBS_COLLECTION, 1, 10);
  let versions = 0;
  let written = 1;
  for (let cuts = 0; cuts < 10; cuts++) {
    const pair = new Meeting(a, b);
    versions += carry(pair, { acks: true, versionsMax: 2 });
    for (let more = 0; more < 5; more++) {
      write(a, BLOBS_COLLECTION, 4, 100_000);
      written += 4;
      pair.step('a', { kind: 'committed' });
      versions += carry(pair, { acks: true, versionsMax: 1 });
    }
    pair.close();
  }
  assert.ok(versions < written, `cut before the end: ${versions} of ${written}`);
  versions += carry(new Meeting(a, b), { acks: true });
  assert.equal(versions, written);
  assert.deepEqual(b.collection(BLOBS_COLLECTION).fingerprint, a.collection(BLOBS_COLLECTION).fingerprint);
  assert.deepEqual(b.collection(BLOBS_COLLECTION).knowledge, a.collection(BLOBS_COLLECTION).knowledge);
});
