/**
 * Goal: what a peer sends at once does not hold up the event loop for long. Method: a runner on a channel by hand, with a codec that
 * takes its time on the clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import { silentLogger } from '../core/logging/index.ts';
import type { Channel } from '../net/index.ts';
import { RoundGate, SessionRunner } from './index.ts';
import { clock, helloOf, openReplica } from './test-meeting.ts';

/** Frames that arrive in one turn, each of which takes so long; returns how many were worked on after each turn. */
function workedOn(frames: number, frameMs: number): number[] {
  const replica = openReplica(1);
  const turns: (() => void)[] = [];
  let worked = 0;
  const channel = { peerKey: 'peer', send: () => true, close: () => {} } as unknown as Channel;
  const runner = new SessionRunner({
    replica,
    gate: new RoundGate(TIMES.syncIntervalMs),
    limits: LIMITS,
    times: TIMES,
    hello: () => helloOf(replica),
    definitions: () => new Map(),
    wallMs: () => clock.now(),
    channel,
    codec: {
      encode: () => new Uint8Array(1),
      decode: () => {
        worked++;
        clock.advance(frameMs);
        return undefined;
      },
    },
    clock,
    logger: silentLogger,
    soon: (run) => turns.push(run),
    flush: () => Promise.resolve(),
    durableCommits: () => replica.durableCommits,
    onEvent: () => {},
    onForked: () => {},
    onEvidence: () => {},
    onFailure: (error) => assert.fail(String(error)),
    onClose: () => {},
  });
  for (let i = 0; i < frames; i++) channel.onFrame?.(new Uint8Array(1));
  const seen = [worked];
  for (let run = turns.shift(); run !== undefined; run = turns.shift()) {
    run();
    seen.push(worked);
  }
  runner.close('closing');
  return seen;
}

test('of long messages that arrive together, each has a turn of the event loop', () => {
  assert.deepEqual(workedOn(3, 20), [1, 2, 3, 3]);
});

test('short messages that arrive together are worked on at once', () => {
  assert.deepEqual(workedOn(3, 0), [3]);
});
