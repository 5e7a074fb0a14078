/**
 * Goal: a damaged collection is counted in slices, and in the end its sums are those of its rows, whatever was written,
 * deleted, received and purged in between, and also after a crash (R11). Method: random changes between random slices; the
 * test counts all rows itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import { isSameFingerprint } from '../../../core/version/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica, type SeededRandom } from '../../../testing/index.ts';
import type { Replica } from '../index.ts';

const C = 'tills' as CollectionName;
const OTHER = 'f'.repeat(32) as never;
const KEYS = 60;
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

const keyOf = (n: number): DocumentKey => `k${n}` as DocumentKey;

function change(replica: Replica, random: SeededRandom, nth: number): void {
  const key = keyOf(random.integer(0, KEYS - 1));
  const value = random.chance(0.3) ? null : JSON.stringify({ nth });
  if (random.chance(0.1)) replica.purge(-1, 5);
  else if (random.chance(0.5)) replica.write([{ writes: [{ collection: C, key, value }] }]);
  else {
    const hlc = replica.head.hlc + 1;
    replica.applyRemote(
      [
        {
          collection: C,
          key,
          replica: OTHER,
          seq: nth,
          first: nth,
          hlc: hlc as never,
          context: [],
          value,
          format: 0,
          stamps: [],
        },
      ],
      [],
    );
  }
}

function assertCounted(replica: Replica): void {
  const { documents, fingerprint } = replica.collection(C);
  const rows = replica.store.documents(C, null, 10 * KEYS);
  assert.equal(documents, rows.filter(({ value }) => value !== null).length);
  const [held] = replica.store.fingerprints(C, [{ after: null, upTo: null }]);
  assert.ok(isSameFingerprint(fingerprint, held!));
}

for (let round = 0; round < 20; round++) {
  const seed = SEED + round;
  test(`the sums of a damaged collection end up right, whatever changes during the count (seed ${seed})`, async () => {
    const random = createSeededRandom(seed);
    const clock = createManualClock();
    let { replica, store } = openMemoryReplica({ clock, random });
    for (let n = 0; n < KEYS; n++) change(replica, random, n + 1);
    const held = store.documents(C, null, KEYS);
    const [named, found] = [held[1]!.key, held[5]!.key];
    store.damage(C, named);
    if (round % 2 === 0) store.damage(C, found);
    replica.damaged.forget(C, [named], 'a test');
    assert.equal(replica.collection(C).knowledge.size, 0);
    let nth = KEYS;
    for (let damaged = replica.damaged.count(C, 2); ; damaged = replica.damaged.count(C, random.integer(1, 9))) {
      if (damaged !== null && damaged.length === 0) break;
      if (damaged !== null) {
        assert.deepEqual(damaged, [found]);
        replica.damaged.forget(C, damaged, 'a test');
      }
      for (let i = random.integer(0, 3); i > 0; i--) tryToChange(replica, random, ++nth);
      if (random.chance(0.1)) {
        await replica.flush();
        ({ replica, store } = openMemoryReplica({ clock, random, store: store.crash() }));
        assert.deepEqual(replica.damaged.uncounted(), [C], 'the count starts again after a crash');
      }
    }
    assert.deepEqual(replica.damaged.uncounted(), []);
    assertCounted(replica);
    await replica.flush();
    assertCounted(openMemoryReplica({ clock, random, store: store.crash() }).replica);
  });
}

/** A damaged row cannot be changed. */
function tryToChange(replica: Replica, random: SeededRandom, nth: number): void {
  try {
    change(replica, random, nth);
  } catch (error) {
    assert.equal((error as { reason?: string }).reason, 'DOCUMENT_CORRUPT');
  }
}
