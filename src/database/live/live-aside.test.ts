/**
 * Goal: a live query whose first result is read outside the event loop shows the same as one that is read synchronously, and
 * nothing before it is durable. Method: a memory store whose answers and syncs the test controls.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { createMemoryStore, type FoundDocument, type MemoryStore } from '../../store/index.ts';
import { openOn, turn } from '../test-database.ts';
import type { LiveEntry } from './index.ts';

interface Doc {
  n: number;
}

interface Asked {
  readonly answer: PromiseWithResolvers<FoundDocument[]>;
  /** Answers the query as of now. */
  readonly find: () => FoundDocument[];
  readonly signal: AbortSignal | undefined;
}

const ignore = (): void => {};
const keysOf = (entries: readonly LiveEntry<Doc>[] | undefined): string | undefined =>
  entries?.map(({ key }) => key).join(' ');

function gatedStore(options: Parameters<typeof createMemoryStore>[0] = {}): {
  readonly store: MemoryStore;
  readonly asked: Asked[];
} {
  const store = createMemoryStore(options);
  const asked: Asked[] = [];
  const findAside: MemoryStore['findAside'] = (collection, query, signal) => {
    const answer = Promise.withResolvers<FoundDocument[]>();
    asked.push({ answer, signal, find: () => store.find(collection, query) });
    return answer.promise;
  };
  return { store: Object.assign(store, { findAside }), asked };
}

test('the first result includes changes made while it was read, whether the reading saw them or not', async () => {
  const { store, asked } = gatedStore();
  await using opened = openOn(store);
  const docs = opened.db.collection<Doc>('docs');
  await docs.putMany(['a', 'b'].map((key) => [key, { n: 1 }] as const));
  const live = docs.live();
  live.subscribe(ignore);
  await docs.delete('a');
  const found = asked[0]!.find();
  await docs.put('c', { n: 2 });
  assert.equal(live.getSnapshot(), undefined);
  asked[0]!.answer.resolve(found);
  await turn();
  assert.equal(keysOf(live.getSnapshot()), 'b c');
  await docs.put('d', { n: 3 });
  assert.equal(keysOf(live.getSnapshot()), 'b c d');
});

test('the first result is not shown before all of it is durable', async () => {
  const disk = Promise.withResolvers<void>();
  const sync = (): Promise<void> => disk.promise;
  const { store, asked } = gatedStore({ sync });
  await using opened = openOn(store);
  const { db } = opened;
  const docs = db.collection<Doc>('docs');
  const live = docs.live();
  live.subscribe(ignore);
  const writing = docs.put('a', { n: 1 });
  try {
    await turn();
    asked[0]!.answer.resolve(asked[0]!.find());
    await turn();
    assert.equal(live.getSnapshot(), undefined, 'it is not durable yet');
  } finally {
    disk.resolve();
  }
  await writing;
  assert.equal(keysOf(live.getSnapshot()), 'a');
});

test('changes during the reading are bounded in characters, and a document that changes again counts once', async () => {
  const { store, asked } = gatedStore();
  await using opened = openOn(store, { limits: { ...LIMITS, liveBacklogCharactersMax: 100 } });
  const docs = opened.db.collection<{ text: string }>('docs');
  const live = docs.live();
  live.subscribe(ignore);
  for (let i = 0; i < 5; i++) await docs.put('a', { text: 'x'.repeat(40) });
  assert.equal(asked[0]!.signal?.aborted, false);
  await docs.put('b', { text: 'x'.repeat(60) });
  assert.equal(asked[0]!.signal?.aborted, true);
  assert.equal(live.getSnapshot()?.length, 2);
});

test('with too many changes during the reading, the query is read synchronously and the late answer ignored', async () => {
  const { store, asked } = gatedStore();
  await using opened = openOn(store, { limits: { ...LIMITS, liveBacklogMax: 3 } });
  const docs = opened.db.collection<Doc>('docs');
  await docs.put('old', { n: 0 });
  const live = docs.live();
  live.subscribe(ignore);
  const found = asked[0]!.find();
  await docs.delete('old');
  for (const key of ['a', 'b', 'c', 'd']) await docs.put(key, { n: 1 });
  assert.equal(keysOf(live.getSnapshot()), 'a b c d');
  assert.equal(asked[0]!.signal?.aborted, true);
  asked[0]!.answer.resolve(found);
  await turn();
  assert.equal(keysOf(live.getSnapshot()), 'a b c d');
});

test('an error of the reading goes to the subscribers, and the reading is aborted when the last one leaves', async () => {
  const { store, asked } = gatedStore();
  await using opened = openOn(store);
  const docs = opened.db.collection<Doc>('docs');
  const live = docs.live();
  const errors: unknown[] = [];
  live.subscribe(ignore, (error) => errors.push(error));
  asked[0]!.answer.reject(new Error('unreadable'));
  await turn();
  assert.match(String(errors), /unreadable/);
  assert.throws(() => live.getSnapshot(), /unreadable/);
  const count = docs.liveCount({ n: 1 });
  const leave = count.subscribe(ignore);
  leave();
  assert.equal(asked[1]!.signal?.aborted, true);
  asked[1]!.answer.reject(asked[1]!.signal!.reason);
  await turn();
  assert.equal(count.getSnapshot(), undefined);
});
