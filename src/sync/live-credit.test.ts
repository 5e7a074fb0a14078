/**
 * Goal: a peer that cannot keep up with single writes is not sent each of them, and still ends with everything. Method: two pure
 * sessions over real engines, messages carried by hand, acknowledgements withheld while one end writes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentKey } from '../core/ids/index.ts';
import { C, Meeting, openReplica, write } from './test-meeting.ts';

const WRITES = 200;

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
