/**
 * Goal: after changes of the resolver, all values that readers see are those of the last resolver (R3). Method: a program that
 * changes its resolver, on a memory store, and changes it back before all pages are resolved again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS, TIMES } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import type { Resolver } from '../../core/merge/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { createManualClock, createSeededRandom } from '../../testing/index.ts';
import { Replica } from './index.ts';

const C = 'tills' as CollectionName;
const KEYS = ['a', 'b', 'c', 'd'] as DocumentKey[];
const newest: Resolver = { name: 'newest', revision: 1, resolve: (siblings) => siblings.at(-1)!.value! };
const oldest: Resolver = { name: 'oldest', revision: 1, resolve: (siblings) => siblings[0]!.value! };

function openReplica() {
  const program = { resolver: newest };
  const store = createMemoryStore();
  const replica = new Replica({
    store,
    clock: createManualClock(),
    random: createSeededRandom(1),
    logger: silentLogger,
    limits: LIMITS,
    clockDriftMsMax: TIMES.clockDriftMsMax,
    resolverOf: () => program.resolver,
    isSameLife: true,
  });
  const receive = (key: DocumentKey, seq: number, author: string): void => {
    const dot = { replica: author.repeat(32) as never, seq, first: seq };
    const body = { hlc: seq as never, context: [], value: `{"n":${seq}}`, stamps: null, format: 0 };
    replica.applyRemote([{ collection: C, key, ...dot, ...body }], [], {});
  };
  for (const [i, key] of KEYS.entries()) {
    receive(key, i + 1, 'a');
    receive(key, i + 11, 'b');
  }
  return { program, replica, store, receive };
}

/** As maintenance does: until no value of another resolver is left. */
function resolveAll(replica: Replica): void {
  for (const collection of replica.staleValues.collections())
    for (let after = replica.staleValues.resolveAgain(collection, null, 2); after !== null; )
      after = replica.staleValues.resolveAgain(collection, after, 2);
}

function valuesOf(replica: Replica): (string | null | undefined)[] {
  return KEYS.map((key) => replica.get(C, key)?.value);
}

const BY_NEWEST = ['{"n":11}', '{"n":12}', '{"n":13}', '{"n":14}'];

test('a resolver that is replaced after some pages leaves none of its values', () => {
  const { program, replica } = openReplica();
  program.resolver = oldest;
  assert.equal(replica.staleValues.resolveAgain(C, null, 2), 'b');
  program.resolver = newest;
  resolveAll(replica);
  assert.deepEqual(valuesOf(replica), BY_NEWEST);
});

test('a resolver that only resolved a document that arrived leaves no value either', () => {
  const { program, replica, receive } = openReplica();
  program.resolver = oldest;
  receive('b' as DocumentKey, 21, 'c');
  program.resolver = newest;
  resolveAll(replica);
  assert.deepEqual(valuesOf(replica), ['{"n":11}', '{"n":21}', '{"n":13}', '{"n":14}']);
});

test('if the resolver changes between two pages, resolving starts again with the first', () => {
  const { program, replica } = openReplica();
  program.resolver = oldest;
  const after = replica.staleValues.resolveAgain(C, null, 2);
  program.resolver = newest;
  for (let next = replica.staleValues.resolveAgain(C, after, 2); next !== null; )
    next = replica.staleValues.resolveAgain(C, next, 2);
  assert.deepEqual(valuesOf(replica), BY_NEWEST);
  assert.deepEqual(replica.staleValues.collections(), []);
});

test('a page that a failed flush has undone is resolved again', async () => {
  const { program, replica, store } = openReplica();
  await replica.flush();
  program.resolver = oldest;
  const after = replica.staleValues.resolveAgain(C, null, 2);
  store.failFlushes(1);
  await assert.rejects(replica.flush(), { reason: 'IO_FAILED' });
  for (let next = replica.staleValues.resolveAgain(C, after, 2); next !== null; )
    next = replica.staleValues.resolveAgain(C, next, 2);
  assert.deepEqual(valuesOf(replica), ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']);
});
