/**
 * Goal: a node that forgot what it knew of a large collection (R11) gets what it lacks and little else, whatever happens meanwhile.
 * Method: two pure sessions over real engines, messages carried by hand and counted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentKey } from '../../core/ids/index.ts';
import type { Replica } from '../../database/replica/index.ts';
import type { Message } from '../../net/messages/index.ts';
import { C, meet, openReplica, write } from '../test-meeting.ts';

const DOCUMENTS = 10_000;
const LIMITS = { gapVersionsMin: 100 };
const KEYS = Array.from({ length: DOCUMENTS }, (_, n) => `k${String(n).padStart(6, '0')}` as DocumentKey);
const DAMAGED = [7, 8, 4095, 4096, 9999].map((n) => KEYS[n]!);

/** Two nodes that hold the same, until rows of the second turn out to be damaged. */
function damagedPair(): { readonly a: Replica; readonly b: Replica } {
  const [a, b] = [openReplica(1), openReplica(2)];
  write(a, KEYS, '{}');
  meet(a, b, LIMITS);
  b.damaged.forget(C, DAMAGED, 'test');
  assert.deepEqual(b.damaged.count(C, 2 * DOCUMENTS), []);
  return { a, b };
}

interface Counted {
  readonly versions: number;
  readonly kinds: ReadonlySet<string>;
}

function counting(a: Replica, b: Replica, onSent: (from: Replica, message: Message) => Message | undefined): Counted {
  const kinds = new Set<string>();
  let versions = 0;
  meet(a, b, LIMITS, (from, message) => {
    kinds.add(message.kind);
    if (message.kind === 'versions') versions += message.versions.length;
    return onSent(from, message);
  });
  return { versions, kinds };
}

function assertEqual(a: Replica, b: Replica): void {
  assert.deepEqual(b.collection(C).fingerprint, a.collection(C).fingerprint);
  for (const [replica, known] of a.collection(C).knowledge)
    assert.deepEqual(b.collection(C).knowledge.get(replica), known);
}

test('a node that forgot what it knew gets what it lacks, and few other documents', () => {
  const { a, b } = damagedPair();
  const { versions } = counting(a, b, () => undefined);
  assertEqual(a, b);
  assert.ok(versions <= DAMAGED.length * 16, `${versions} versions were sent`);
});

test('a range of more parts than fit into a message is described to its end', () => {
  const { a, b } = damagedPair();
  meet(a, b, { ...LIMITS, rangesPerMessageMax: 3 });
  assertEqual(a, b);
});

test('what the sender writes during the search arrives, before and after the place of the comparison', () => {
  const { a, b } = damagedPair();
  let ranges = 0;
  counting(a, b, (_from, message) => {
    if (message.kind === 'ranges' && ++ranges === 2) {
      write(a, [KEYS[1]!, KEYS[9000]!, 'new' as DocumentKey], '{"later":true}');
      write(a, [KEYS[2]!, KEYS[4096]!], null);
    }
    return undefined;
  });
  assert.ok(ranges > 2);
  meet(a, b, LIMITS);
  assertEqual(a, b);
  assert.equal(b.get(C, KEYS[9000]!)?.value, '{"later":true}');
});

test('what the receiver writes during the search stays', () => {
  const { a, b } = damagedPair();
  counting(a, b, (_from, message) => {
    if (message.kind === 'fetch') write(b, [KEYS[7]!, 'own' as DocumentKey], '{"own":true}');
    return undefined;
  });
  meet(a, b, LIMITS);
  meet(b, a, LIMITS);
  assert.equal(a.get(C, 'own' as DocumentKey)?.value, '{"own":true}');
  assert.deepEqual(b.collection(C).fingerprint, a.collection(C).fingerprint);
});

test('documents whose deletion was purged meanwhile do not come back', () => {
  const { a, b } = damagedPair();
  write(a, [KEYS[7]!, KEYS[500]!], null);
  assert.equal(a.purge(-1, 10).purged, 2);
  counting(a, b, () => undefined);
  assertEqual(a, b);
  assert.equal(b.get(C, KEYS[500]!), undefined);
});

test('a sender that does not support gaps sends everything', () => {
  const { a, b } = damagedPair();
  const { versions, kinds } = counting(a, b, (_from, message) => {
    if (message.kind !== 'want') return undefined;
    const { gaps: _gaps, ...asBefore } = message;
    return asBefore;
  });
  assert.equal(versions, DOCUMENTS);
  assert.ok(!kinds.has('fetch'));
  assertEqual(a, b);
});

test('a node that knows what it holds, or holds little, asks for no comparison', () => {
  const [a, b] = [openReplica(1), openReplica(2)];
  write(a, KEYS.slice(0, 300), '{}');
  const wants: Message[] = [];
  const note = (_from: Replica, message: Message): undefined => {
    if (message.kind === 'want') wants.push(message);
  };
  meet(a, b, LIMITS, note);
  write(a, KEYS.slice(300, 600), '{}');
  meet(a, b, LIMITS, note);
  b.damaged.forget(C, KEYS.slice(0, 550), 'test');
  meet(a, b, LIMITS, note);
  assert.ok(wants.length >= 3);
  for (const want of wants) assert.equal('gaps' in want, false);
});
