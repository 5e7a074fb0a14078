/**
 * Goal: a clock that is set while two nodes are connected is told to those who compare clocks (R10), in both directions. Method: one
 * pure session, messages of its peer by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import type { ReplicaId } from '../core/ids/index.ts';
import type { HelloMessage } from '../net/messages/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { PROTOCOL, RoundGate, Session, type SessionEvent } from './index.ts';

const HOUR_MS = 3_600_000;

test('every ping tells how far the two clocks are apart at that moment', () => {
  const clock = createManualClock();
  const { replica } = openMemoryReplica({ clock, random: createSeededRandom(1) });
  let ownShiftMs = 0;
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
    wallMs: () => clock.now() + ownShiftMs,
  });
  const offsets: number[] = [];
  const note = (event: SessionEvent): void => {
    if (event.kind === 'opened' || event.kind === 'clock') offsets.push(event.wallOffsetMs);
  };
  const hear = (message: Parameters<Session['step']>[0]): void => {
    for (const effect of session.step(message, clock.monotonic())) if (effect.kind === 'event') note(effect.event);
  };
  const ping = (wallMs: number): void => hear({ kind: 'message', message: { kind: 'ping', nonce: 1, wallMs } });

  hear({ kind: 'open' });
  hear({ kind: 'message', message: { ...hello, node: 'b', replica: '0'.repeat(32) as ReplicaId, life: 'b' } });
  ping(clock.now() - HOUR_MS);
  ownShiftMs = -HOUR_MS;
  ping(clock.now() - HOUR_MS);
  ping(clock.now());
  assert.deepEqual(offsets, [0, -HOUR_MS, 0, HOUR_MS]);
});
