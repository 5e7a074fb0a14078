/**
 * Goal: a node is told that a peer holds the same versions of a collection only if it does, also where no claim can say so.
 * Method: two pure sessions over real engines, messages carried by hand; events are looked at.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentKey } from '../core/ids/index.ts';
import type { Replica } from '../database/replica/index.ts';
import { C, type End, Meeting, openReplica, write } from './test-meeting.ts';

/** Which ends were told so in a meeting. */
function toldIn(a: Replica, b: Replica): End[] {
  const meeting = new Meeting(a, b);
  while (meeting.carry());
  meeting.close();
  return (['a', 'b'] as const).filter((end) => meeting.events[end].some((event) => event.kind === 'same'));
}

test('both ends are told that they hold the same once the versions have arrived, not when they are sent', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  write(a, ['k' as DocumentKey], '{}');
  assert.deepEqual(toldIn(a, b), []);
  assert.deepEqual(toldIn(a, b), ['a', 'b']);
  write(b, ['l' as DocumentKey], '{}');
  assert.deepEqual(toldIn(a, b), []);
});

test('a write of a former life that nobody can claim is found to be held', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  write(a, ['kept', 'damaged'] as DocumentKey[], '{}');
  const former = a.id;
  a.damaged.forget(C, ['damaged' as DocumentKey], 'test');
  assert.deepEqual(a.damaged.count(C, 10), []);
  assert.deepEqual(toldIn(a, b), []);
  assert.equal(b.collection(C).knowledge.get(former), undefined);
  assert.equal(b.get(C, 'kept' as DocumentKey)?.value, '{}');
  assert.deepEqual(toldIn(a, b), ['a', 'b']);
});
