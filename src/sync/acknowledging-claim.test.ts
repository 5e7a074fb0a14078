/**
 * Goal: whoever adopts a claim says so soon, since that is what receipts wait for, also when its own claim was due just before.
 * Such an answer brings the other nothing new, and costs it no commit. Method: two pure sessions over real engines on a manual
 * clock, messages carried by hand; events are looked at.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIMES } from '../core/config/index.ts';
import type { DocumentKey } from '../core/ids/index.ts';
import { C, Meeting, openReplica, write } from './test-meeting.ts';

function carryAll(meeting: Meeting): void {
  while (meeting.carry());
  for (const end of ['a', 'b'] as const) meeting.step(end, { kind: 'committed' });
  for (const end of ['a', 'b'] as const) meeting.step(end, { kind: 'pump' });
  while (meeting.carry());
}

test('a claim that arrives right after the own one was due is acknowledged, long before the next round', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  write(a, ['k' as DocumentKey], '{}');
  const meeting = new Meeting(a, b);
  carryAll(meeting);
  meeting.wait(TIMES.claimDelayMs);
  carryAll(meeting);
  write(a, ['k' as DocumentKey], '{"n":1}');
  carryAll(meeting);
  // Both are due in the same moment: the claim of `a` is on its way when `b` looks what there is to claim.
  meeting.wait(TIMES.claimDelayMs);
  for (let waitedMs = 0; waitedMs < TIMES.syncIntervalMs / 2; waitedMs += TIMES.claimDelayMs) {
    carryAll(meeting);
    meeting.wait(TIMES.claimDelayMs);
  }
  assert.equal(b.collection(C).knowledge.get(a.id)?.seq, 2);
  const confirmed = meeting.events.a.filter((event) => event.kind === 'confirmed').map(({ seq }) => seq);
  assert.equal(confirmed.at(-1), 2);
  meeting.close();
});

test('the node that wrote commits nothing when another says that it has the write', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const meeting = new Meeting(a, b);
  for (const value of ['{}', '{"n":1}']) {
    write(a, ['k' as DocumentKey], value);
    for (let times = 0; times < 5; times++) {
      carryAll(meeting);
      meeting.wait(TIMES.claimDelayMs);
    }
  }
  assert.ok(meeting.events.a.some((event) => event.kind === 'confirmed' && event.seq === 2));
  assert.equal(a.commits, 2);
  meeting.close();
});
