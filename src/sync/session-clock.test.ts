/**
 * Goal: a session draws the right conclusions from time. A clock that is set while two nodes are connected is reported (R10),
 * whichever it is; and a process that was busy or asleep does not blame its peer's clock or silence. Method: one pure session, with
 * the messages of its peer made by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import type { ReplicaId } from '../core/ids/index.ts';
import type { HelloMessage, Message } from '../net/messages/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { PROTOCOL, RoundGate, Session, type SessionInput } from './index.ts';

const HOUR_MS = 3_600_000;

function openSession(syncIntervalMs: number = TIMES.syncIntervalMs) {
  const clock = createManualClock();
  const { replica } = openMemoryReplica({ clock, random: createSeededRandom(1) });
  const own = { shiftMs: 0 };
  const hello: HelloMessage = {
    kind: 'hello',
    protocol: PROTOCOL,
    node: 'a',
    replica: replica.id,
    startId: 'a',
    wallMs: clock.now(),
    collections: null,
    capabilities: [],
    resolvers: new Map(),
  };
  const session = new Session({
    replica,
    gate: new RoundGate(TIMES.syncIntervalMs),
    limits: LIMITS,
    times: { ...TIMES, syncIntervalMs },
    hello: () => hello,
    definitions: () => new Map(),
    wallMs: () => clock.now() + own.shiftMs,
  });
  const offsets: number[] = [];
  const closes: string[] = [];
  const sent: Message[] = [];
  const step = (input: SessionInput): void => {
    for (const effect of session.step(input, clock.monotonic())) {
      if (effect.kind === 'close') closes.push(effect.text);
      if (effect.kind === 'send') sent.push(effect.message);
      if (effect.kind !== 'event') continue;
      if (effect.event.kind === 'opened' || effect.event.kind === 'clock') offsets.push(effect.event.wallOffsetMs);
    }
  };
  step({ kind: 'open' });
  step({ kind: 'message', message: { ...hello, node: 'b', replica: '0'.repeat(32) as ReplicaId, startId: 'b' } });
  return { clock, session, own, offsets, closes, sent, step };
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

/** Lets a minute pass with a peer that answers everything. Returns the pings, and the longest time without a question, ms. */
function restForMinute(syncIntervalMs: number): { readonly pings: number; readonly longestMs: number } {
  const { clock, session, sent, step } = openSession(syncIntervalMs);
  let [pings, longestMs, askedMs] = [0, 0, clock.monotonic()];
  while (clock.monotonic() < 60_000) {
    clock.advance(Math.max(0, session.nextWakeMs - clock.monotonic()));
    sent.length = 0;
    step({ kind: 'tick' });
    for (const message of [...sent]) {
      if (message.kind !== 'ping' && message.kind !== 'summary') continue;
      longestMs = Math.max(longestMs, clock.monotonic() - askedMs);
      askedMs = clock.monotonic();
      if (message.kind === 'ping') pings++;
      if (message.kind === 'ping') step({ kind: 'message', message: { ...message, kind: 'pong' } });
      else step({ kind: 'message', message: { kind: 'differ', round: message.round, collections: [] } });
    }
  }
  return { pings, longestMs };
}

test('summaries ask a peer whether it is there: pings between them only compare the clocks', () => {
  const { pings, longestMs } = restForMinute(TIMES.syncIntervalMs);
  assert.ok(pings >= 2 && pings <= 3, `${pings} pings`);
  assert.ok(longestMs <= TIMES.pingIntervalMs, `${longestMs} ms`);
});

test('a peer to which summaries are rare is pinged in time', () => {
  const { pings, longestMs } = restForMinute(HOUR_MS);
  assert.ok(pings >= 60_000 / TIMES.pingIntervalMs - 1, `${pings} pings`);
  assert.ok(longestMs <= TIMES.pingIntervalMs, `${longestMs} ms`);
});

test('a peer whose clock was set is asked for its time soon after it pings', () => {
  for (const shiftMs of [0, HOUR_MS]) {
    const { clock, session, sent, step } = openSession();
    clock.advance(2 * TIMES.pingIntervalMs);
    step({ kind: 'ping' });
    step({ kind: 'message', message: { kind: 'pong', nonce: 1, wallMs: clock.now() } });
    clock.advance(1000);
    sent.length = 0;
    step({ kind: 'message', message: { kind: 'ping', nonce: 1, wallMs: clock.now() + shiftMs } });
    const pingedAt = clock.monotonic();
    while (clock.monotonic() < pingedAt + TIMES.pingIntervalMs) {
      clock.advance(Math.max(0, session.nextWakeMs - clock.monotonic()));
      step({ kind: 'tick' });
    }
    const pings = sent.filter(({ kind }) => kind === 'ping').length;
    assert.equal(pings, shiftMs === 0 ? 0 : 1, `a clock set by ${shiftMs} ms`);
  }
});
