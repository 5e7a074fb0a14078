/**
 * Goal: a peer that cannot keep up with single writes is not sent each of them, and still ends with everything; on a slow network,
 * what is written to another collection during a first sync does not wait for megabytes. Method: two pure sessions over real engines, messages carried by
 * hand, acknowledgements withheld while one end writes, or messages that take as long as on a slow line.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Message } from '../net/messages/index.ts';
import { C, clock, Meeting, openReplica, write } from './test-meeting.ts';

const WRITES = 200;
const OTHER = 'd' as CollectionName;

test('of a document that is written again and again, only a bounded number of versions travel, including the last', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  write(a, ['k' as DocumentKey], '{"n":0}');
  const meeting = new Meeting(a, b, { limits: { liveMessagesMax: 8 } });
  while (meeting.carry());

  let versions = 0;
  for (let n = 1; n <= WRITES; n++) {
    write(a, ['k' as DocumentKey], `{"n":${n}}`);
    meeting.step('a', { kind: 'committed' });
  }
  assert.equal(
    meeting.waitingFor('b').filter(({ kind }) => kind === 'versions').length,
    8,
    'sent before any was confirmed',
  );
  const count = (_from: unknown, message: { readonly kind: string }): undefined => {
    if (message.kind === 'versions') versions++;
  };
  while (meeting.carry(count));
  meeting.close();
  assert.equal(b.get(C, 'k' as DocumentKey)?.value, `{"n":${WRITES}}`);
  assert.equal(versions, 9);
});

/** Carries messages to `b` at a number of bytes per second, and those to `a` at once, until the claim holds; returns how long that took, ms. */
function carrySlowly(meeting: Meeting, bytesPerSecond: number, isDone: () => boolean): number {
  const startedAt = clock.monotonic();
  const onSent = (_from: unknown, message: Message): undefined => {
    if (message.kind !== 'versions') return;
    const bytes = message.versions.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    clock.advance((bytes / bytesPerSecond) * 1000);
  };
  while (!isDone() && meeting.carry(onSent, 'a'));
  return clock.monotonic() - startedAt;
}

test('a write to another collection during a first sync waits for one message, on a line of 64 kbit/s as on a fast one', () => {
  for (const bytesPerSecond of [8000, 100_000, 10_000_000]) {
    const [a, b] = [openReplica(1), openReplica(2)];
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}` as DocumentKey);
    write(a, keys, JSON.stringify({ text: 'x'.repeat(100_000) }));
    const meeting = new Meeting(a, b);
    carrySlowly(meeting, bytesPerSecond, () => b.collection(C).documents >= 50);
    a.write([{ writes: [{ collection: OTHER, key: 'live' as DocumentKey, value: '{}' }] }]);
    meeting.step('a', { kind: 'committed' });
    const ms = carrySlowly(meeting, bytesPerSecond, () => b.get(OTHER, 'live' as DocumentKey) !== undefined);
    const messageMs = (2 * LIMITS.messageBytesMax * 1000) / bytesPerSecond;
    assert.ok(ms <= messageMs + 5000, `${ms} ms at ${bytesPerSecond} bytes/s`);
    carrySlowly(meeting, bytesPerSecond, () => false);
    assert.equal(b.collection(C).documents, keys.length);
    meeting.close();
  }
});
