/** For the tests of sessions: two pure sessions over real engines on memory stores, messages carried by hand. */
import assert from 'node:assert/strict';
import { LIMITS, type Limits, TIMES } from '../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { Replica } from '../database/replica/index.ts';
import type { HelloMessage, Message } from '../net/messages/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { PROTOCOL, RoundGate, Session } from './index.ts';

export const C = 'c' as CollectionName;
export const clock = createManualClock();

export function openReplica(seed: number): Replica {
  return openMemoryReplica({ clock, random: createSeededRandom(seed) }).replica;
}

export function write(replica: Replica, keys: readonly DocumentKey[], value: string | null): void {
  for (const key of keys) replica.write([{ writes: [{ collection: C, key, value }] }]);
}

export function helloOf(replica: Replica): HelloMessage {
  return {
    kind: 'hello',
    protocol: PROTOCOL,
    node: replica.id,
    replica: replica.id,
    life: replica.id,
    wallMs: clock.now(),
    collections: null,
    capabilities: [],
    resolvers: new Map(),
  };
}

export function sessionOf(replica: Replica, limits: Partial<Limits> = {}): Session {
  return new Session({
    replica,
    gate: new RoundGate(TIMES.syncIntervalMs),
    limits: { ...LIMITS, ...limits },
    times: TIMES,
    hello: () => helloOf(replica),
    definitions: () => new Map(),
    wallMs: () => clock.now(),
  });
}

/** Carries messages both ways until nothing is left to say; `onSent` hears of each before it arrives, and changes it or lets it be. */
export function meet(
  a: Replica,
  b: Replica,
  limits: Partial<Limits>,
  onSent: (from: Replica, message: Message) => Message | undefined = () => undefined,
): void {
  const replicas = [a, b] as const;
  const ends = [sessionOf(a, limits), sessionOf(b, limits)] as const;
  const inbox: [Message[], Message[]] = [[], []];
  const step = (at: 0 | 1, input: Parameters<Session['step']>[0]): void => {
    for (const effect of ends[at].step(input, clock.monotonic()))
      if (effect.kind === 'send') inbox[1 - at]!.push(effect.message);
      else if (effect.kind === 'again') step(at, { kind: 'pump' });
      else assert.equal(effect.kind, 'event');
  };
  step(0, { kind: 'open' });
  step(1, { kind: 'open' });
  while (inbox[0].length + inbox[1].length > 0) {
    const at = inbox[1].length > 0 ? 1 : 0;
    const message = inbox[at].shift()!;
    const changed = onSent(replicas[1 - at]!, message);
    step(at, { kind: 'message', message: changed ?? message });
  }
  for (const end of ends) end.close();
}
