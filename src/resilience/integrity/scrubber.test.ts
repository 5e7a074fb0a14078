/**
 * Goal: the scrub reads everything at its speed, in short slices, and names each damaged document once per pass.
 * Method: the memory store with damaged rows, a manual clock that the test advances from sleep to sleep.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIMES } from '../../core/config/index.ts';
import { type DocumentKey, parseCollectionName } from '../../core/ids/index.ts';
import type { Damage } from '../../store/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';
import { settle } from '../test-settle.ts';
import { Scrubber, type ScrubberOptions } from './index.ts';
import { C, key, put } from './test-repair.ts';

const D = parseCollectionName('receipts');

function setUp(options: Partial<ScrubberOptions> = {}) {
  const clock = createManualClock();
  const { replica, store } = openMemoryReplica({ clock, random: createSeededRandom(7) });
  const found: string[] = [];
  const slices: number[] = [];
  const scrubber = new Scrubber({
    store: {
      documents: (collection, after, limit, except) => {
        slices.push(limit);
        return store.documents(collection, after, limit, except);
      },
    },
    collections: () => [...replica.collections()].map(({ name }) => name),
    clock,
    passPauseMs: 60_000,
    onDamage: (damage: Damage) => found.push(damage.kind === 'document' ? damage.key : damage.kind),
    ...options,
  });
  return { clock, replica, store, found, slices, scrubber };
}

/** Advances the clock from timer to timer until the scrub rests between two passes; returns how long the pass took. */
async function passMs(clock: ReturnType<typeof createManualClock>): Promise<number> {
  const startedAt = clock.monotonic();
  for (;;) {
    await settle();
    const delay = clock.nextTimerAt()! - clock.monotonic();
    if (delay === 60_000) return clock.monotonic() - startedAt;
    clock.advance(delay);
  }
}

test('each pass names every damaged document once and reads around it', async () => {
  const { clock, replica, store, found, scrubber } = setUp();
  for (let n = 0; n < 40; n++) {
    put(replica, `k${String(n).padStart(2, '0')}`, n);
    put(replica, `r${String(n).padStart(2, '0')}`, n, D);
  }
  for (const name of ['k00', 'k07', 'k39']) store.damage(C, key(name));
  store.damage(D, key('r20'));
  scrubber.start();
  await passMs(clock);
  assert.deepEqual(found.sort(), ['k00', 'k07', 'k39', 'r20']);
  assert.equal(scrubber.lastPassAt, null);
  replica.damaged.forget(C, [key('k00'), key('k07'), key('k39')], 'a test');
  replica.damaged.forget(D, [key('r20')], 'a test');
  found.length = 0;
  clock.advance(60_000);
  await passMs(clock);
  assert.deepEqual(found, []);
  assert.equal(scrubber.lastPassAt, clock.now());
  await scrubber.stop();
});

test('the scrub keeps to its speed', async () => {
  const { clock, replica, scrubber } = setUp({ megabytesPerSecond: 2 });
  const value = JSON.stringify({ text: 'x'.repeat(1024) });
  const writes = Array.from({ length: 1000 }, (_, n) => ({ collection: C, key: key(`k${n}`), value }));
  replica.write([{ writes }]);
  scrubber.start();
  const tookMs = await passMs(clock);
  assert.ok(tookMs > 550 && tookMs < 650, `1,000 documents of 1.2 KB took ${tookMs} ms`);
  await scrubber.stop();
});

test('the scrub gives way while other work needs the event loop, and still completes', async () => {
  const { clock, replica, slices, scrubber } = setUp();
  for (let n = 0; n < 500; n++) put(replica, `k${String(n).padStart(3, '0')}`, n);
  scrubber.start();
  let rests = 0;
  for (; ; rests++) {
    await settle();
    const delay = clock.nextTimerAt()! - clock.monotonic();
    if (delay === 60_000) break;
    clock.advance(delay + 10);
  }
  assert.equal(rests, 10 * slices.length);
  assert.equal(scrubber.lastPassAt, clock.now());
  await scrubber.stop();
});

test('slices grow while they are fast and shrink while they are slow', async () => {
  const { clock, replica, store, slices } = setUp();
  for (let n = 0; n < 2000; n++) put(replica, `k${n}`, n);
  let sliceMs = 0;
  const timed = new Scrubber({
    store: {
      documents: (collection, after: DocumentKey | null, limit) => {
        slices.push(limit);
        clock.advance(sliceMs);
        return store.documents(collection, after, limit);
      },
    },
    collections: () => [C],
    clock,
    passPauseMs: 60_000,
    onDamage: () => assert.fail('nothing is damaged'),
  });
  timed.start();
  await passMs(clock);
  assert.deepEqual([slices[0], slices.at(-1)], [1, 256]);
  sliceMs = 20;
  slices.length = 0;
  clock.advance(60_000);
  await passMs(clock);
  assert.equal(Math.min(...slices), 1);
  await timed.stop();
});

test('a paused scrub reads nothing, and a resumed one continues where it was', async () => {
  const { clock, replica, slices, scrubber } = setUp();
  for (let n = 0; n < 100; n++) put(replica, `k${String(n).padStart(3, '0')}`, n);
  scrubber.start();
  await settle();
  scrubber.setSpeed(0);
  clock.advance(10_000);
  await settle();
  const before = slices.length;
  clock.advance(10_000);
  await settle();
  assert.equal(slices.length, before);
  scrubber.setSpeed(2);
  await passMs(clock);
  assert.ok(slices.length > before);
  await scrubber.stop();
  assert.equal(clock.nextTimerAt(), undefined);
});

test('the structures of the file are checked once per interval, not at each pass', async () => {
  let checks = 0;
  const { clock, found, scrubber } = setUp({
    fileCheckIntervalMs: 100_000,
    checkFile: async function* () {
      checks++;
      yield { kind: 'file', problem: 'page 3 is never used' };
    },
  });
  scrubber.start();
  clock.advance(TIMES.fileCheckDelayMs - 1);
  await settle();
  assert.equal(checks, 0, 'not during the start');
  for (let pass = 0; pass < 3; pass++) {
    await passMs(clock);
    clock.advance(60_000);
  }
  await passMs(clock);
  assert.deepEqual([checks, found], [2, ['file', 'file']]);
  await scrubber.stop();
});

test('an error of the disk ends the pass, and the next one begins after the pause', async () => {
  let failures = 1;
  const { clock, replica, store } = setUp();
  put(replica, 'a', 1);
  const scrubber = new Scrubber({
    store: {
      documents: (collection, after, limit) => {
        if (failures-- > 0) throw new Error('the disk does not answer');
        return store.documents(collection, after, limit);
      },
    },
    collections: () => [C],
    clock,
    passPauseMs: 60_000,
    onDamage: () => assert.fail('nothing is damaged'),
  });
  scrubber.start();
  await passMs(clock);
  assert.equal(scrubber.lastPassAt, null);
  clock.advance(60_000);
  await passMs(clock);
  assert.equal(scrubber.lastPassAt, clock.now());
  await scrubber.stop();
});

test('a speed of 0 turns the scrub off, and an invalid one is refused', async () => {
  const { clock, replica, slices, scrubber } = setUp({ megabytesPerSecond: 0 });
  put(replica, 'a', 1);
  scrubber.start();
  await settle();
  assert.deepEqual([slices, clock.nextTimerAt()], [[], undefined]);
  await scrubber.stop();
  assert.throws(() => setUp({ megabytesPerSecond: -1 }), RangeError);
});
