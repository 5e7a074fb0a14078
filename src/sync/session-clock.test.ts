/**
 * Goal: a session draws the right conclusions from time. A clock that is set while two nodes are connected is reported (R10),
 * whichever it is; and a process that was busy or asleep does not blame its peer's clock or silence. Method: one pure session, with
 * the messages of its peer made by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import type { ReplicaId } from '../core/ids/index.ts';
import type { HelloMessage } from '../net/messages/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { PROTOCOL, RoundGate, Session, type SessionInput } from './index.ts';

const HOUR_MS = 3_600_000;

function openSession() {
  const clock = createManualClock();
  const { replica } = openMemoryReplica({ clock, random: createSeededRandom(1) });
  const own = { shiftMs: 0 };
  const hello: HelloMessage = {
    kind: 'hello',
    protocol: PROTOCOL,
    node: 'a',
    replica: replica.id,
    life: 'a',
    wallMs: clock.now(),
    collections: null,
    capabilities: [],
    resolvers: new Map(),
  };
  const session = new Session({
    replica,
    gate: new RoundGate(TIMES.syncIntervalMs),
    limits: LIMITS,
    times: TIMES,
    hello: () => hello,
    definitions: () => new Map(),
    wallMs: () => clock.now() + own.shiftMs,
  });
  const offsets: number[] = [];
  const closes: string[] = [];
  const step = (input: SessionInput): void => {
    for (const effect of session.step(input, clock.monotonic())) {
      if (effect.kind === 'close') closes.push(effect.text);
      if (effect.kind !== 'event') continue;
      if (effect.event.kind === 'opened' || effect.event.kind === 'clock') offsets.push(effect.event.wallOffsetMs);
    }
  };
  step({ kind: 'open' });
  step({ kind: 'message', message: { ...hello, node: 'b', replica: '0'.repeat(32) as ReplicaId, life: 'b' } });
  return { clock, session, own, offsets, closes, step };
}

test('every pong gives the difference of the two clocks at that moment, unless it took long', () => {
  const { clock, own, offsets, step } = openSession();
  let nonce = 0;
  /** Our ping, and after `roundTripMs` the answer of a peer whose clock is `aheadMs` ahead of what ours was at first. */
  const ask = (aheadMs: number, roundTripMs: number): void => {
    step({ kind: 'ping' });
    clock.advance(roundTripMs);
    const wallMs = clock.now() - roundTripMs / 2 + aheadMs;
    step({ kind: 'message', message: { kind: 'pong', nonce: ++nonce, wallMs } });
  };
  ask(-HOUR_MS, 10);
  own.shiftMs = -HOUR_MS;
  ask(-HOUR_MS, 10);
  ask(0, 1500);
  ask(0, 60_000);
  assert.deepEqual(offsets, [0, -HOUR_MS, 0, HOUR_MS]);
});

test('a process that slept gives its peer time to answer, and then gives up a silent one', () => {
  const { clock, session, closes, step } = openSession();
  const tick = (): void => {
    clock.advance(Math.max(0, session.nextWakeMs - clock.monotonic()));
    step({ kind: 'tick' });
  };
  clock.advance(TIMES.peerSilenceMsMax + 10_000);
  const wokenAt = clock.monotonic();
  step({ kind: 'tick' });
  assert.deepEqual(closes, []);
  while (closes.length === 0) tick();
  const ms = clock.monotonic() - wokenAt;
  assert.ok(ms > TIMES.pingIntervalMs && ms < 2 * TIMES.pingIntervalMs, `${ms} ms`);
});

test('a peer that falls silent while this process runs is given up after the limit', () => {
  const { clock, session, closes, step } = openSession();
  while (closes.length === 0) {
    clock.advance(Math.max(0, session.nextWakeMs - clock.monotonic()));
    step({ kind: 'tick' });
  }
  assert.equal(clock.monotonic(), TIMES.peerSilenceMsMax);
});
