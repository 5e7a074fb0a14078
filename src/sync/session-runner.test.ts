/**
 * Goal: messages that a peer sends together do not block the event loop for long. Method: runners on hand-made channels, whose turns
 * of the event loop are run one by one, with a codec that takes time on the manual clock, or none.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import { PersistenceError, SyncError } from '../core/errors/index.ts';
import type { DocumentKey } from '../core/ids/index.ts';
import { silentLogger } from '../core/logging/index.ts';
import type { Replica } from '../database/replica/index.ts';
import type { Channel } from '../net/index.ts';
import type { Message } from '../net/messages/index.ts';
import { RoundGate, type SessionCodec, SessionRunner } from './index.ts';
import { C, clock, helloOf, meet, openReplica, write } from './test-meeting.ts';

type Turns = (() => void)[];

/** Time for one message that is long for a turn of the event loop, ms. */
const LONG_MS = 20;

function runnerOf(
  replica: Replica,
  channel: Channel,
  codec: SessionCodec,
  turns: Turns,
  onFailure: (error: unknown) => void = (error) => assert.fail(String(error)),
): SessionRunner {
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
    onEnds: () => {},
    onFailure,
    onClose: () => {},
  });
  replica.onCommit(() => runner.committed());
  return runner;
}

/** Lets frames arrive in one turn, each taking `frameMs`; returns how many were processed after each turn. */
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

interface Meeting {
  readonly onTurn?: () => void;
  /** Sent messages arrive together when nobody has anything else to do, and take long. Default: one message a turn. */
  readonly isTogether?: boolean;
}

/** Connects both, and runs turn after turn until there is none; returns the sent messages. */
async function connect(a: Replica, b: Replica, { onTurn = () => {}, isTogether = false }: Meeting): Promise<Message[]> {
  const turns: Turns = [];
  const onTheWay: (() => void)[] = [];
  const sent: Message[] = [];
  const codec: SessionCodec = {
    encode: (message) => new Uint8Array(sent.push(message)),
    decode: ({ length }) => {
      if (isTogether) clock.advance(LONG_MS);
      return sent[length - 1];
    },
  };
  const channels = [0, 1].map(() => ({ peerKey: 'peer', close: () => {} }) as unknown as Channel) as [Channel, Channel];
  channels.forEach((channel, i) => {
    channel.send = (frame) => (isTogether ? onTheWay : turns).push(() => channels[1 - i]!.onFrame(frame)) > 0;
  });
  const runners = [a, b].map((replica, i) => runnerOf(replica, channels[i]!, codec, turns));
  for (const runner of runners) runner.start();
  do {
    if (turns.length === 0) for (const arrive of onTheWay.splice(0)) arrive();
    turns.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    onTurn();
  } while (turns.length + onTheWay.length > 0);
  for (const runner of runners) runner.close('closing');
  return sent;
}

test('long messages that arrive together take a turn of the event loop each', () => {
  assert.deepEqual(workedOn(3, LONG_MS), [1, 2, 3, 3]);
});

test('short messages that arrive together are processed in the same turn', () => {
  assert.deepEqual(workedOn(3, 0), [3]);
});

test('a claim that drops much gives up the event loop between two slices', async () => {
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
  await connect(sender, receiver, {
    onTurn: () => {
      slicesOfTurns.push(slices);
      slices = 0;
    },
  });
  assert.equal(receiver.collection(C).documents, 0);
  assert.equal(Math.max(...slicesOfTurns), 1, `slices of each turn: ${slicesOfTurns.join()}`);
  assert.ok(slicesOfTurns.filter((count) => count > 0).length > 3);
});

test('messages that arrive together share acknowledgements, and a single one is acknowledged immediately', async () => {
  const confirmedOf = async (isTogether: boolean): Promise<{ messages: number; words: number }> => {
    const [sender, receiver] = [openReplica(1), openReplica(2)];
    const keys = Array.from({ length: 9000 }, (_, i) => `k${i}` as DocumentKey);
    write(sender, keys, JSON.stringify({ text: 'x'.repeat(1000) }));
    const sent = await connect(sender, receiver, { isTogether });
    assert.equal(receiver.collection(C).documents, keys.length);
    const batches = sent.flatMap((message) => (message.kind === 'versions' ? [message.batch] : []));
    const confirmed = sent.flatMap((message) => (message.kind === 'ack' ? [message.batch] : []));
    assert.equal(confirmed.at(-1), batches.at(-1), 'the last one is confirmed');
    return { messages: batches.length, words: confirmed.length };
  };
  const alone = await confirmedOf(false);
  assert.equal(alone.words, alone.messages);
  const together = await confirmedOf(true);
  assert.ok(together.messages >= 16 && together.words <= together.messages / 4, JSON.stringify(together));
});

test('a peer whose message takes a minute to arrive is not silent, but one that stops in the middle of it is', async () => {
  const turns: Turns = [];
  const closed: string[] = [];
  const channel = { peerKey: 'peer', bytesReceived: 0, send: () => true } as unknown as Channel & {
    bytesReceived: number;
  };
  channel.close = (reason = '') => void closed.push(reason);
  const peer = openReplica(2);
  const codec: SessionCodec = { encode: () => new Uint8Array(1), decode: () => helloOf(peer) };
  const runner = runnerOf(openReplica(1), channel, codec, turns);
  runner.start();
  channel.onFrame(new Uint8Array(1));
  assert.ok(runner.isOpen);
  for (let second = 0; second < 60; second++) {
    channel.bytesReceived += 2048;
    clock.advance(1000);
  }
  assert.deepEqual(closed, []);
  const stoppedAt = clock.monotonic();
  while (closed.length === 0) clock.advance(1000);
  assert.deepEqual(closed, ['the peer fell silent']);
  assert.ok(clock.monotonic() - stoppedAt <= TIMES.peerSilenceMsMax + TIMES.pingIntervalMs);
});

test('a session that ends because this node failed says so, and one that ends by bad bytes of the peer says that', () => {
  const endOf = (failure: Error): string[] => {
    const closed: string[] = [];
    const channel = { peerKey: 'peer', send: () => true } as unknown as Channel;
    channel.close = (reason = '') => void closed.push(reason);
    const decode = (): never => {
      throw failure;
    };
    runnerOf(openReplica(1), channel, { encode: () => new Uint8Array(1), decode }, [], () => {}).start();
    channel.onFrame(new Uint8Array(1));
    return closed;
  };
  const full = new PersistenceError('DISK_FULL', 'the disk is full');
  assert.deepEqual(endOf(full), ['this node cannot go on: the disk is full']);
  assert.deepEqual(endOf(new SyncError('MESSAGE_INVALID', 'no message')), ['no message']);
});
