/**
 * Goal: while two programs define a collection differently, both ends report it, and nothing else depends on it.
 * Method: the sessions of two nodes in memory, fed by hand; a peer of an older release says nothing about definitions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../core/config/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import type { CollectionDefinition, DefinitionMismatch } from '../core/replication/index.ts';
import type { HelloMessage, Message } from '../net/messages/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../testing/index.ts';
import { PROTOCOL, RoundGate, Session, type SessionInput } from './index.ts';

const clock = createManualClock();

class End {
  readonly definitions = new Map<CollectionName, CollectionDefinition>();
  readonly resolvers = new Map([['*', 'lww@1']]);
  readonly sent: Message[] = [];
  readonly session: Session;
  /** The last report; undefined: none yet. */
  mismatches: readonly DefinitionMismatch[] | undefined;

  constructor(seed: number, collections: readonly string[] | null = null) {
    const { replica } = openMemoryReplica({ clock, random: createSeededRandom(seed) });
    const hello = (): HelloMessage => ({
      kind: 'hello',
      protocol: PROTOCOL,
      node: `n${seed}`,
      replica: replica.id,
      startId: `l${seed}`,
      wallMs: clock.now(),
      collections: collections as readonly CollectionName[] | null,
      capabilities: [],
      resolvers: this.resolvers,
    });
    this.session = new Session({
      replica,
      gate: new RoundGate(TIMES.syncIntervalMs),
      limits: { ...LIMITS, definitionsMax: 3 },
      times: TIMES,
      hello,
      definitions: () => this.definitions,
      wallMs: () => clock.now(),
    });
  }

  define(collection: string, said: Partial<CollectionDefinition> = {}): void {
    const name = collection as CollectionName;
    this.definitions.set(name, { collection: name, resolver: 'lww@1', version: null, schema: null, ...said });
    if (this.session.phase === 'open') this.step({ kind: 'defined' });
  }

  step(input: SessionInput): void {
    for (const effect of this.session.step(input, clock.monotonic())) {
      if (effect.kind === 'send') this.sent.push(effect.message);
      if (effect.kind === 'event' && effect.event.kind === 'definitions') this.mismatches = effect.event.mismatches;
    }
  }
}

/** `drops`: kinds of messages that the other end does not know and ignores. */
function carry(a: End, b: End, drops: readonly Message['kind'][] = []): void {
  while (a.sent.length + b.sent.length > 0) {
    for (const message of a.sent.splice(0)) if (!drops.includes(message.kind)) b.step({ kind: 'message', message });
    for (const message of b.sent.splice(0)) if (!drops.includes(message.kind)) a.step({ kind: 'message', message });
  }
}

function meet(a: End, b: End, drops: readonly Message['kind'][] = []): void {
  a.step({ kind: 'open' });
  b.step({ kind: 'open' });
  carry(a, b, drops);
}

test('nodes that agree report nothing; a later definition is exchanged, and ends the mismatch', () => {
  const [a, b] = [new End(1), new End(2)];
  a.define('users', { resolver: 'merge@1', version: 1, schema: '00'.repeat(16) });
  meet(a, b);
  b.define('users', { resolver: 'merge@1', version: 1, schema: '00'.repeat(16) });
  carry(a, b);
  assert.deepEqual([a.mismatches, b.mismatches], [[], []], 'it had not been said yet');
  a.define('users', { resolver: 'merge@2', version: 2 });
  carry(a, b);
  const resolver = { collection: 'users', part: 'resolver' };
  const version = { collection: 'users', part: 'version' };
  assert.deepEqual(a.mismatches, [
    { ...resolver, ours: 'merge@2', theirs: 'merge@1' },
    { ...version, ours: '2', theirs: '1' },
  ]);
  assert.deepEqual(b.mismatches, [
    { ...resolver, ours: 'merge@1', theirs: 'merge@2' },
    { ...version, ours: '1', theirs: '2' },
  ]);
  b.define('users', { resolver: 'merge@2', version: 2 });
  carry(a, b);
  assert.deepEqual([a.mismatches, b.mismatches], [[], []]);
});

test('schemas are compared only under the same version, and only if both ends name them', () => {
  const [a, b] = [new End(1), new End(2)];
  meet(a, b);
  a.define('users', { version: 1, schema: '0a'.repeat(16) });
  b.define('users', { version: 1 });
  carry(a, b);
  assert.equal(a.mismatches, undefined);
  b.define('users', { version: 1, schema: '0b'.repeat(16) });
  carry(a, b);
  assert.deepEqual(a.mismatches, [
    { collection: 'users', part: 'schema', ours: '0a'.repeat(16), theirs: '0b'.repeat(16) },
  ]);
});

test('a peer that says nothing about definitions is judged by the resolvers in its greeting', () => {
  const [a, old] = [new End(1), new End(2)];
  a.define('users', { version: 3 });
  a.define('stock', { resolver: 'merge@1' });
  a.resolvers.set('stock', 'merge@1');
  meet(a, old, ['definitions']);
  const expected = [{ collection: 'stock', part: 'resolver', ours: 'merge@1', theirs: 'lww@1' }];
  assert.deepEqual(a.mismatches, expected);
});

test('collections that only one of the two wants are not compared', () => {
  const [a, b] = [new End(1), new End(2, ['sales'])];
  a.define('users', { resolver: 'merge@1' });
  meet(a, b);
  assert.equal(a.mismatches, undefined);
});

test('if there are more collections than the limit, both ends compare the first ones', () => {
  const [a, b] = [new End(1), new End(2)];
  meet(a, b);
  for (let i = 0; i < 5; i++) {
    a.define(`c${i}`, { version: 1 });
    b.define(`c${i}`, { version: 2 });
  }
  carry(a, b);
  assert.deepEqual(
    a.mismatches?.map(({ collection }) => collection),
    ['c0', 'c1', 'c2'],
  );
});
