/**
 * Goal: a live query whose first result is read beside the event loop shows what one that is read at once shows, no earlier and no
 * less. Method: a store in memory that answers when it is told to, and syncs when it is told to.
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
  /** What there is now. */
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

test('changes that came while it was read are in it, whether it saw them or not', async () => {
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

test('nothing of it is shown before it is durable', async () => {
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
    assert.equal(live.getSnapshot(), undefined, 'the disk has not got it yet');
  } finally {
    disk.resolve();
  }
  await writing;
  assert.equal(keysOf(live.getSnapshot()), 'a');
});

test('few large changes meanwhile are too much as well, and a document that changes again counts once', async () => {
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

test('where too much changes meanwhile it is read at once, and what comes later is not wanted', async () => {
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

test('its error is told to all who look; when nobody does, the reading ends', async () => {
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
