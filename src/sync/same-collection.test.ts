/**
 * Goal: a node is told that a peer holds the same versions of a collection only if it does, also where no claim can say so.
 * Method: two pure sessions over real engines, messages carried by hand; events are looked at.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIMES } from '../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Replica } from '../database/replica/index.ts';
import { C, clock, type End, Meeting, openReplica, write } from './test-meeting.ts';

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

test('a collection in which one end has purged a deletion does not hide that another one is the same', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const jobs = { collection: 'jobs' as CollectionName, key: 'done' as DocumentKey };
  for (const value of ['{}', null]) a.write([{ writes: [{ ...jobs, value }] }]);
  toldIn(a, b);
  clock.advance(1000);
  assert.equal(a.purge(1, 10).purged, 1);
  const meeting = new Meeting(a, b);
  while (meeting.carry());
  write(a, ['k' as DocumentKey], '{}');
  meeting.step('a', { kind: 'committed' });
  const summaries: number[] = [];
  for (let round = 0; round < 8; round++) {
    while (
      meeting.carry((_from, message) => {
        if (message.kind === 'summary') summaries.push(message.collections.length);
        return undefined;
      })
    );
    meeting.wait(TIMES.syncIntervalMs);
  }
  for (const end of ['a', 'b'] as const)
    assert.ok(
      meeting.events[end].some((event) => event.kind === 'same' && event.collection === C),
      end,
    );
  assert.ok(summaries.length > 8);
  assert.ok(
    summaries.slice(-6).every((collections) => collections === 0),
    'they are listed once, not for ever',
  );
  meeting.close();
});

test('nodes that have forgotten different deletions go on completing rounds', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  write(a, ['k' as DocumentKey], '{}');
  write(a, ['k' as DocumentKey], null);
  toldIn(a, b);
  clock.advance(1000);
  assert.equal(a.purge(1, 10).purged, 1);
  const meeting = new Meeting(a, b);
  for (let round = 0; round < 8; round++) {
    while (meeting.carry());
    meeting.wait(TIMES.syncIntervalMs);
  }
  for (const end of ['a', 'b'] as const) {
    const rounds = meeting.events[end].filter(({ kind }) => kind === 'up-to-date');
    assert.ok(rounds.length >= 6, `${end}: ${rounds.length} of 8`);
  }
  meeting.close();
});

test('an end that has sent, but is still to claim, does not say that it has nothing to send', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  const meeting = new Meeting(a, b);
  while (meeting.carry());
  clock.advance(TIMES.syncIntervalMs);
  write(a, ['k' as DocumentKey], '{}');
  meeting.step('a', { kind: 'committed' });
  meeting.step('b', { kind: 'tick' });
  const answers: string[] = [];
  const carryAll = (): void => {
    while (meeting.carry((from, { kind }) => void (from === 'a' && answers.push(kind))));
  };
  const isUpToDate = (): boolean => meeting.events.b.splice(0).some(({ kind }) => kind === 'up-to-date');
  isUpToDate();
  carryAll();
  assert.ok(answers.includes('versions') && answers.includes('differ'), 'every summary is answered');
  assert.equal(isUpToDate(), false);
  meeting.wait(TIMES.claimDelayMs);
  carryAll();
  assert.ok(answers.includes('claim'), answers.join());
  meeting.wait(TIMES.syncIntervalMs);
  carryAll();
  assert.equal(isUpToDate(), true);
  meeting.close();
});
