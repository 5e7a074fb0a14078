/**
 * Goal: a cut stream is resumed where it was cut (R4), in the same process and after a restart, and never omits what the
 * receiver lacks. Method: two pure sessions over real engines on memory stores, messages carried by hand; the connection is cut
 * after a number of batches.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentKey } from '../core/ids/index.ts';
import type { Replica } from '../database/replica/index.ts';
import type { Message } from '../net/messages/index.ts';
import { memoryStoreFromSnapshot } from '../store/memory/index.ts';
import { createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { C, clock, type End, Meeting } from './test-meeting.ts';

const DOCUMENTS = 100;

function write(replica: Replica, from: number, to: number, by = 'x'): void {
  for (let n = from; n < to; n++)
    replica.write([{ writes: [{ collection: C, key: `k${n}` as DocumentKey, value: `{"by":"${by}"}` }] }]);
}

interface MeetOptions {
  readonly batchesMax?: number;
  readonly onBatch?: (batch: number) => void;
  /** The start of `a` that the meeting belongs to. */
  readonly startId?: string;
  /** Whether another life wrote under the id of `a`, which must be noticed in this meeting. */
  readonly isTwin?: boolean;
}

/** Carries messages both ways until none is left, or enough batches arrived. Returns how many versions travelled. */
function meet(a: Replica, b: Replica, options: MeetOptions = {}): number {
  const { batchesMax = Number.POSITIVE_INFINITY, onBatch = () => {}, startId = 'a', isTwin = false } = options;
  const meeting = new Meeting(a, b, { limits: { messageVersionsMax: 10 }, startOfA: startId });
  let [versions, batches] = [0, 0];
  let arrived: Message | undefined;
  const note = (_from: End, message: Message): undefined => {
    arrived = message;
  };
  while (batches < batchesMax && meeting.carry(note)) {
    if (arrived?.kind !== 'versions') continue;
    versions += arrived.versions.length;
    onBatch(++batches);
  }
  meeting.close();
  assert.equal(meeting.forks.length > 0, isTwin);
  return versions;
}

function assertEqual(a: Replica, b: Replica): void {
  assert.deepEqual(a.collection(C).fingerprint, b.collection(C).fingerprint);
  assert.deepEqual(b.collection(C).knowledge, a.collection(C).knowledge);
}

function pair(): { a: Replica; b: Replica; reopenB: () => Promise<Replica> } {
  const a = openMemoryReplica({ clock, random: createSeededRandom(1) }).replica;
  const opened = openMemoryReplica({ clock, random: createSeededRandom(2) });
  const reopenB = async (): Promise<Replica> => {
    await opened.store.close();
    return openMemoryReplica({ clock, random: createSeededRandom(3), store: opened.store.reopen() }).replica;
  };
  return { a, b: opened.replica, reopenB };
}

test('a stream that is cut again and again sends nothing twice', () => {
  const { a, b } = pair();
  write(a, 0, DOCUMENTS);
  let versions = 0;
  for (let cuts = 0; cuts < 9; cuts++) versions += meet(a, b, { batchesMax: 1 });
  assert.equal(versions, 90);
  assert.equal(b.collection(C).knowledge.size, 0, 'only a claim moves knowledge');
  versions += meet(a, b);
  assert.equal(versions, DOCUMENTS);
  assertEqual(a, b);
  assert.equal(b.resumePoints(a.id, 'a', C).size, 0, 'what is known need not be remembered');
});

test('a restarted receiver resumes the stream instead of starting over', async () => {
  const { a, b, reopenB } = pair();
  write(a, 0, DOCUMENTS);
  assert.equal(meet(a, b, { batchesMax: 5 }), 50);
  const again = await reopenB();
  assert.equal(meet(a, again), 50);
  assertEqual(a, again);
});

test('what the sender replaced between two cuts arrives', () => {
  const { a, b } = pair();
  write(a, 0, DOCUMENTS);
  meet(a, b, {
    batchesMax: 5,
    onBatch: (batch) => {
      if (batch !== 2) return;
      write(a, 60, 70, 'later');
      write(a, 0, 5, 'later');
    },
  });
  assert.equal(meet(a, b), 40 + 15, 'the rest of the old ones, and the new ones');
  assertEqual(a, b);
});

test('versions that the sender did not know yet when the stream began are not skipped', () => {
  const { a, b } = pair();
  const third = openMemoryReplica({ clock, random: createSeededRandom(4) }).replica;
  write(third, 0, 60);
  meet(third, a, { batchesMax: 2 });
  assert.equal(meet(a, b), 20, 'a holds some of the third, and knows of none');
  assert.equal(b.resumePoints(a.id, 'a', C).size, 0);
  meet(third, a);
  meet(a, b, { batchesMax: 1 });
  assert.ok((b.resumePoints(a.id, 'a', C).get(third.id) ?? 0) > 0);
  meet(a, b);
  assertEqual(a, b);
});

test('a sender that was rolled back unnoticed sends what it wrote since instead of what it had sent', async () => {
  const { replica: a, store } = openMemoryReplica({ clock, random: createSeededRandom(1) });
  const { b } = pair();
  write(a, 0, 50);
  await a.flush();
  const image = store.snapshot();
  write(a, 50, DOCUMENTS);
  assert.equal(meet(a, b, { batchesMax: 8 }), 80);
  const identity = { fresh: false, reason: 'same', reservedSeq: 0, reservedPos: 0 } as const;
  const again = openMemoryReplica({
    clock,
    random: createSeededRandom(5),
    store: memoryStoreFromSnapshot(image, { identity }),
  }).replica;
  assert.equal(again.id, a.id);
  write(again, 1050, 1000 + DOCUMENTS);
  meet(again, b, { startId: 'the next', isTwin: true });
  for (let n = 1050; n < 1000 + DOCUMENTS; n++) assert.ok(b.get(C, `k${n}` as DocumentKey), `k${n} did not arrive`);
});

test('a receiver that drops or loses rows receives everything again', () => {
  const { a, b } = pair();
  write(a, 0, DOCUMENTS);
  meet(a, b, { batchesMax: 5 });
  assert.equal(b.resumePoints(a.id, 'a', C).get(a.id), 50);
  b.damaged.forget(C, ['k7' as DocumentKey], 'test');
  assert.equal(b.resumePoints(a.id, 'a', C).size, 0);
  assert.equal(meet(a, b), DOCUMENTS);
  assert.deepEqual(b.damaged.count(C, 2 * DOCUMENTS), []);
  assertEqual(a, b);
});
