/** For the tests of sessions: two pure sessions over real engines on memory stores, messages carried by hand. */
import assert from 'node:assert/strict';
import { LIMITS, type Limits, TIMES } from '../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../core/ids/index.ts';
import type { ForkEvidence } from '../core/version/index.ts';
import type { Replica } from '../database/replica/index.ts';
import type { HelloMessage, Message } from '../net/messages/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { PROTOCOL, RoundGate, Session, type SessionEvent, type SessionInput } from './index.ts';

export const C = 'c' as CollectionName;
export const clock = createManualClock();

export function openReplica(seed: number): Replica {
  return openMemoryReplica({ clock, random: createSeededRandom(seed) }).replica;
}

export function write(replica: Replica, keys: readonly DocumentKey[], value: string | null): void {
  for (const key of keys) replica.write([{ writes: [{ collection: C, key, value }] }]);
}

/** Without a `startId`, a replica has one that never changes. */
export function helloOf(replica: Replica, startId: string = replica.id): HelloMessage {
  return {
    kind: 'hello',
    protocol: PROTOCOL,
    node: replica.id,
    replica: replica.id,
    startId,
    wallMs: clock.now(),
    collections: null,
    capabilities: [],
    resolvers: new Map(),
  };
}

/** One of the two that meet. */
export type End = 'a' | 'b';

export interface MeetingOptions {
  readonly limits?: Partial<Limits>;
  /** The start of `a` that the meeting belongs to. */
  readonly startOfA?: string;
}

/** Two open sessions, and the messages on their way to each. */
export class Meeting {
  readonly sessions: Readonly<Record<End, Session>>;
  readonly forks: ForkEvidence[] = [];
  /** What each end told of. */
  readonly events: Readonly<Record<End, SessionEvent[]>> = { a: [], b: [] };
  readonly #to: Readonly<Record<End, Message[]>> = { a: [], b: [] };

  constructor(a: Replica, b: Replica, { limits = {}, startOfA }: MeetingOptions = {}) {
    this.sessions = { a: sessionOf(a, limits, startOfA), b: sessionOf(b, limits) };
    this.step('a', { kind: 'open' });
    this.step('b', { kind: 'open' });
  }

  step(end: End, input: SessionInput): void {
    for (const effect of this.sessions[end].step(input, clock.monotonic()))
      if (effect.kind === 'send') this.#to[otherThan(end)].push(effect.message);
      else if (effect.kind === 'again') this.step(end, { kind: 'pump' });
      else if (effect.kind === 'evidence') this.forks.push(effect.fork);
      else if (effect.kind === 'ends') continue;
      else if (effect.kind === 'event') this.events[end].push(effect.event);
      else assert.fail(`an effect of kind ${effect.kind}`);
  }

  /** Messages on their way to one end. */
  waitingFor(end: End): readonly Message[] {
    return this.#to[end];
  }

  /**
   * Delivers the next message; false if none is left. `onSent` sees it before it arrives, and may replace it, leave it (undefined), or
   * drop it (null). Messages to the end `first` go before those to the other.
   */
  carry(
    onSent: (from: End, message: Message) => Message | null | undefined = () => undefined,
    first: End = 'b',
  ): boolean {
    const end = this.#to[first].length > 0 ? first : otherThan(first);
    const message = this.#to[end].shift();
    if (message === undefined) return false;
    const changed = onSent(otherThan(end), message);
    if (changed !== null) this.step(end, { kind: 'message', message: changed ?? message });
    return true;
  }

  /** Lets time pass at both ends. */
  wait(ms: number): void {
    clock.advance(ms);
    for (const end of ['a', 'b'] as const) this.step(end, { kind: 'tick' });
  }

  close(): void {
    this.sessions.a.close();
    this.sessions.b.close();
  }
}

/** Carries messages both ways until none is left; `onSent` as for `Meeting.carry`. */
export function meet(
  a: Replica,
  b: Replica,
  limits: Partial<Limits>,
  onSent: (from: Replica, message: Message) => Message | undefined = () => undefined,
): void {
  const meeting = new Meeting(a, b, { limits });
  const isLeft = (): boolean => meeting.carry((from, message) => onSent(from === 'a' ? a : b, message));
  while (isLeft());
  meeting.close();
  assert.deepEqual(meeting.forks, []);
}

function sessionOf(replica: Replica, limits: Partial<Limits>, startId?: string): Session {
  return new Session({
    replica,
    gate: new RoundGate(TIMES.syncIntervalMs),
    limits: { ...LIMITS, ...limits },
    times: TIMES,
    hello: () => helloOf(replica, startId),
    definitions: () => new Map(),
    wallMs: () => clock.now(),
  });
}

function otherThan(end: End): End {
  return end === 'a' ? 'b' : 'a';
}
