/**
 * Goal: a session draws the right conclusions from time: a clock that is set while two nodes are connected is told to those who
 * compare clocks (R10), in both directions, and who was busy or asleep itself blames neither clock nor silence of its peer. Method:
 * one pure session, messages of its peer by hand.
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

test('every pong tells how far the two clocks are apart at that moment, unless it was long on its way', () => {
  const { clock, own, offsets, step } = openSession();
  let nonce = 0;
  /** A ping of ours, and after so long the answer of a peer whose clock is ahead by so much of what ours was at first. */
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

test('a process that slept itself does not take its peer for dead at once; one that then says nothing is', () => {
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

test('a peer that falls silent while this process runs is given up when its time is over', () => {
  const { clock, session, closes, step } = openSession();
  while (closes.length === 0) {
    clock.advance(Math.max(0, session.nextWakeMs - clock.monotonic()));
    step({ kind: 'tick' });
  }
  assert.equal(clock.monotonic(), TIMES.peerSilenceMsMax);
});
