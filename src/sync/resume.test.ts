/**
 * Goal: a stream that is cut goes on where it was cut (R4), in the same process and after a restart, and never leaves out what
 * the receiver lacks. Method: two pure sessions over real engines on memory stores, messages carried by hand; the connection is
 * cut after a number of batches.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { ForkEvidence } from '../core/version/index.ts';
import type { Replica } from '../database/replica/index.ts';
import type { Message } from '../net/messages/index.ts';
import { memoryStoreFromSnapshot } from '../store/memory/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { PROTOCOL, RoundGate, Session } from './index.ts';

const C = 'c' as CollectionName;
const DOCUMENTS = 100;
const clock = createManualClock();

function write(replica: Replica, from: number, to: number, by = 'x'): void {
  for (let n = from; n < to; n++)
    replica.write([{ writes: [{ collection: C, key: `k${n}` as DocumentKey, value: `{"by":"${by}"}` }] }]);
}

function sessionOf(replica: Replica, life: string): Session {
  return new Session({
    replica,
    gate: new RoundGate(TIMES.syncIntervalMs),
    limits: { ...LIMITS, messageVersionsMax: 10 },
    times: TIMES,
    hello: () => ({
      kind: 'hello',
      protocol: PROTOCOL,
      node: replica.id,
      replica: replica.id,
      life,
      wallMs: clock.now(),
      collections: null,
      capabilities: [],
      resolvers: new Map(),
    }),
    definitions: () => new Map(),
    wallMs: () => clock.now(),
  });
}

/**
 * Carries messages both ways until nothing is left to say, or this many batches arrived. `life`: of the process of `a`; `isTwin`:
 * another life wrote under its id, which must be noticed here. Returns the versions that travelled.
 */
function meet(
  a: Replica,
  b: Replica,
  batchesMax = Number.POSITIVE_INFINITY,
  onBatch = (_batch: number) => {},
  life = 'a',
  isTwin = false,
): number {
  const ends = [sessionOf(a, life), sessionOf(b, 'b')] as const;
  const inbox: [Message[], Message[]] = [[], []];
  const forks: ForkEvidence[] = [];
  let versions = 0;
  let batches = 0;
  const step = (at: 0 | 1, input: Parameters<Session['step']>[0]): void => {
    for (const effect of ends[at].step(input, clock.monotonic()))
      if (effect.kind === 'send') inbox[1 - at]!.push(effect.message);
      else if (effect.kind === 'again') step(at, { kind: 'pump' });
      else if (effect.kind === 'evidence') forks.push(effect.fork);
      else assert.equal(effect.kind, 'event');
  };
  step(0, { kind: 'open' });
  step(1, { kind: 'open' });
  while (inbox[0].length + inbox[1].length > 0 && batches < batchesMax) {
    const at = inbox[1].length > 0 ? 1 : 0;
    const message = inbox[at].shift()!;
    step(at, { kind: 'message', message });
    if (message.kind !== 'versions') continue;
    versions += message.versions.length;
    onBatch(++batches);
  }
  for (const end of ends) end.close();
  assert.equal(forks.length > 0, isTwin);
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

test('a stream that was cut again and again sends nothing twice', () => {
  const { a, b } = pair();
  write(a, 0, DOCUMENTS);
  let versions = 0;
  for (let cuts = 0; cuts < 9; cuts++) versions += meet(a, b, 1);
  assert.equal(versions, 90);
  assert.equal(b.collection(C).knowledge.size, 0, 'only a claim moves knowledge');
  versions += meet(a, b);
  assert.equal(versions, DOCUMENTS);
  assertEqual(a, b);
  assert.equal(b.resumePoints(a.id, 'a', C).size, 0, 'what is known need not be remembered');
});

test('a restart of the receiver does not begin from the start', async () => {
  const { a, b, reopenB } = pair();
  write(a, 0, DOCUMENTS);
  assert.equal(meet(a, b, 5), 50);
  const again = await reopenB();
  assert.equal(meet(a, again), 50);
  assertEqual(a, again);
});

test('what the sender replaced between two cuts arrives', () => {
  const { a, b } = pair();
  write(a, 0, DOCUMENTS);
  meet(a, b, 5, (batch) => {
    if (batch !== 2) return;
    write(a, 60, 70, 'later');
    write(a, 0, 5, 'later');
  });
  assert.equal(meet(a, b), 40 + 15, 'the rest of the old ones, and the new ones');
  assertEqual(a, b);
});

test('versions that the sender did not yet know when the stream began are not passed over', () => {
  const { a, b } = pair();
  const third = openMemoryReplica({ clock, random: createSeededRandom(4) }).replica;
  write(third, 0, 60);
  meet(third, a, 2);
  assert.equal(meet(a, b), 20, 'a holds some of the third, and knows of none');
  assert.equal(b.resumePoints(a.id, 'a', C).size, 0);
  meet(third, a);
  meet(a, b, 1);
  assert.ok((b.resumePoints(a.id, 'a', C).get(third.id) ?? 0) > 0);
  meet(a, b);
  assertEqual(a, b);
});

test('a sender that was rolled back unnoticed sends what it wrote in place of what it had sent', async () => {
  const { replica: a, store } = openMemoryReplica({ clock, random: createSeededRandom(1) });
  const { b } = pair();
  write(a, 0, 50);
  await a.flush();
  const image = store.snapshot();
  write(a, 50, DOCUMENTS);
  assert.equal(meet(a, b, 8), 80);
  const identity = { fresh: false, reason: 'same', reservedSeq: 0 } as const;
  const again = openMemoryReplica({
    clock,
    random: createSeededRandom(5),
    store: memoryStoreFromSnapshot(image, { identity }),
  }).replica;
  assert.equal(again.id, a.id);
  write(again, 1050, 1000 + DOCUMENTS);
  meet(again, b, Number.POSITIVE_INFINITY, () => {}, 'the next process', true);
  for (let n = 1050; n < 1000 + DOCUMENTS; n++) assert.ok(b.get(C, `k${n}` as DocumentKey), `k${n} did not arrive`);
});

test('a receiver that drops or loses rows lets all be sent again', () => {
  const { a, b } = pair();
  write(a, 0, DOCUMENTS);
  meet(a, b, 5);
  assert.equal(b.resumePoints(a.id, 'a', C).get(a.id), 50);
  b.forgetDamaged(C, ['k7' as DocumentKey], 'test');
  assert.equal(b.resumePoints(a.id, 'a', C).size, 0);
  assert.equal(meet(a, b), DOCUMENTS);
  assert.deepEqual(b.recountDamaged(C, 2 * DOCUMENTS), []);
  assertEqual(a, b);
});
