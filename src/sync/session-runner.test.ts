/**
 * Goal: what a peer sends at once does not hold up the event loop for long. Method: runners on channels by hand, whose turns of the
 * event loop are run one by one; a codec that takes its time on the clock, or none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import type { DocumentKey } from '../core/ids/index.ts';
import { silentLogger } from '../core/logging/index.ts';
import type { Replica } from '../database/replica/index.ts';
import type { Channel } from '../net/index.ts';
import type { Message } from '../net/messages/index.ts';
import { RoundGate, type SessionCodec, SessionRunner } from './index.ts';
import { C, clock, helloOf, meet, openReplica, write } from './test-meeting.ts';

type Turns = (() => void)[];

function runnerOf(replica: Replica, channel: Channel, codec: SessionCodec, turns: Turns): SessionRunner {
  const runner = new SessionRunner({
    replica,
    gate: new RoundGate(TIMES.syncIntervalMs),
    limits: LIMITS,
    times: TIMES,
    hello: () => helloOf(replica),
    definitions: () => new Map(),
    wallMs: () => clock.now(),
    channel,
    codec,
    clock,
    logger: silentLogger,
    soon: (run) => turns.push(run),
    flush: () => replica.flush(),
    durableCommits: () => replica.durableCommits,
    onEvent: () => {},
    onForked: () => {},
    onEvidence: () => {},
    onFailure: (error) => assert.fail(String(error)),
    onClose: () => {},
  });
  replica.onCommit(() => runner.committed());
  return runner;
}

/** Frames that arrive in one turn, each of which takes so long; returns how many were worked on after each turn. */
function workedOn(frames: number, frameMs: number): number[] {
  const turns: Turns = [];
  let worked = 0;
  const channel = { peerKey: 'peer', send: () => true, close: () => {} } as unknown as Channel;
  const codec = {
    encode: () => new Uint8Array(1),
    decode: () => {
      worked++;
      clock.advance(frameMs);
      return undefined;
    },
  };
  const runner = runnerOf(openReplica(1), channel, codec, turns);
  for (let i = 0; i < frames; i++) channel.onFrame?.(new Uint8Array(1));
  const seen = [worked];
  for (let run = turns.shift(); run !== undefined; run = turns.shift()) {
    run();
    seen.push(worked);
  }
  runner.close('closing');
  return seen;
}

/** Connects both, and runs turn after turn until there is none; `onTurn` after each. */
async function connect(a: Replica, b: Replica, onTurn: () => void): Promise<void> {
  const turns: Turns = [];
  const sent: Message[] = [];
  const codec: SessionCodec = {
    encode: (message) => new Uint8Array(sent.push(message)),
    decode: ({ length }) => sent[length - 1],
  };
  const channels = [0, 1].map(() => ({ peerKey: 'peer', close: () => {} }) as unknown as Channel) as [Channel, Channel];
  channels.forEach((channel, i) => {
    channel.send = (frame) => turns.push(() => channels[1 - i]!.onFrame(frame)) > 0;
  });
  const runners = [a, b].map((replica, i) => runnerOf(replica, channels[i]!, codec, turns));
  for (const runner of runners) runner.start();
  do {
    turns.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    onTurn();
  } while (turns.length > 0);
  for (const runner of runners) runner.close('closing');
}

test('of long messages that arrive together, each has a turn of the event loop', () => {
  assert.deepEqual(workedOn(3, 20), [1, 2, 3, 3]);
});

test('short messages that arrive together are worked on at once', () => {
  assert.deepEqual(workedOn(3, 0), [3]);
});

test('a claim that drops much leaves a turn of the event loop between two slices', async () => {
  const [sender, receiver] = [openReplica(1), openReplica(2)];
  const keys = Array.from({ length: 500 }, (_, i) => `k${i}` as DocumentKey);
  write(sender, keys, '{}');
  meet(sender, receiver, {});
  write(sender, keys, null);
  sender.purge(-1, keys.length);

  let slices = 0;
  const slicesOfTurns: number[] = [];
  receiver.onCommit(({ removed }) => {
    if (removed.length > 0) slices++;
  });
  await connect(sender, receiver, () => {
    slicesOfTurns.push(slices);
    slices = 0;
  });
  assert.equal(receiver.collection(C).documents, 0);
  assert.equal(Math.max(...slicesOfTurns), 1, `slices of each turn: ${slicesOfTurns.join()}`);
  assert.ok(slicesOfTurns.filter((count) => count > 0).length > 3);
});
