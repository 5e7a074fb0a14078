/**
 * Goal: whatever happens to a collection, on this node and others, every live result equals its query at each quiet moment,
 * and the updates describe exactly how it changed: no step is missing, repeated or without effect.
 * Method: random histories of local and remote writes, transactions, purges, failed flushes and slow consumers, with live
 * queries of random filters, orders and windows. A copy that only applies the steps is compared with every result, and in
 * the end with `find`. Pairs of documents that are always written together would reveal a transaction shown in part.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { createMemoryStore, type MemoryStore } from '../../store/index.ts';
import { createSeededRandom, type SeededRandom } from '../../testing/index.ts';
import type { Collection } from '../api.ts';
import type { LocalDatabase } from '../database.ts';
import type { FindOptions } from '../query/index.ts';
import { forEachSeed, openTestDatabase, type TestDisk, testOnStores, turn } from '../test-database.ts';
import type { Live, LiveEntry, LiveQuery, LiveUpdate } from './index.ts';
import { TestPeer } from './test-peer.ts';

const CHANGES_PER_HISTORY = 500;
const SLOW_TURNS_MAX = 3;

interface Doc {
  readonly n: number;
  readonly group?: string;
  readonly pair?: number;
}

const ignore = (): void => {};

testOnStores('live results equal their queries at every quiet moment', (disk) =>
  forEachSeed(10, (seed) => runHistory(seed, disk)),
);

test('live results equal their queries also when flushes fail', () =>
  forEachSeed(4, (seed) => runHistory(1000 + seed, undefined, createMemoryStore())));

test('live results equal their queries also when they are read outside the event loop', () =>
  forEachSeed(10, (seed) => runHistory(2000 + seed, undefined, slowStore(createSeededRandom(seed)))));

/** A store whose `findAside` answers after some turns, as of any moment during them. */
function slowStore(random: SeededRandom): MemoryStore {
  const store = createMemoryStore();
  const wait = async (): Promise<void> => {
    for (let turns = random.integer(0, SLOW_TURNS_MAX); turns > 0; turns--) await turn();
  };
  const findAside: MemoryStore['findAside'] = async (collection, query) => {
    await wait();
    const found = store.find(collection, query);
    await wait();
    return found;
  };
  return Object.assign(store, { findAside });
}

async function runHistory(seed: number, disk: TestDisk | undefined, faulty?: MemoryStore): Promise<void> {
  const random = createSeededRandom(seed);
  const logged: object[] = [];
  const limits = {
    ...LIMITS,
    liveBacklogMax: random.pick([5, 100, 10_000]),
    liveBacklogCharactersMax: random.pick([200, 1_000_000]),
  };
  await using opened = await openTestDatabase(disk, {
    seed,
    limits,
    logger: { ...silentLogger, error: (fields) => void logged.push(fields) },
    ...(faulty === undefined ? {} : { store: faulty }),
  });
  const { db, clock } = opened;
  const keys = random.pick([20, 60, 300]);
  const name = `c${seed}`;
  const docs = db.collection<Doc>(name);
  await docs.putMany(Array.from({ length: keys / 2 }, (_, i) => [`k${i}`, { n: i, group: 'a' }] as const));
  const peers = [1, 2].map(() => new TestPeer(db, name, random.fork()));
  const followers = Array.from({ length: 8 }, () => new Follower(docs, random));
  const counts = [{}, { group: 'a' }, { n: { $gt: 50 } }].map((filter) => new Counter(docs, filter));
  const single = docs.liveDocument('k1');
  single.subscribe(ignore);
  let pairs = watchPairs(docs);
  const write = createWriter(docs, peers, random, keys);
  let isQuiet = false;
  for (let done = 0; done < CHANGES_PER_HISTORY; ) {
    const what = random.integer(0, 19);
    isQuiet = false;
    if (what <= 13) done += write();
    else if (what === 14) {
      db.commitPending();
      clock.advance(10);
      tryCommit(() => db.replica.purge(0, 100));
    } else if (what === 15) faulty?.failFlushes(1);
    else if (what === 16) {
      random.pick(followers).restart();
      pairs.close();
      pairs = watchPairs(docs);
    } else if (what === 17) isQuiet = await settle(db, faulty);
    else await turn();
    if (isQuiet) await check();
  }
  await settle(db, faulty);
  await check();
  pairs.close();

  async function check(): Promise<void> {
    const failures = logged.map((fields) => ('err' in fields ? fields.err : fields));
    for (const failure of failures) if (!isEntglDbError(failure, 'IO_FAILED')) throw failure;
    for (const follower of followers) await follower.check();
    for (const counter of counts) await counter.check();
    assert.deepEqual(single.getSnapshot(), (await docs.get('k1')) ?? null);
  }
}

/** Returns a function that makes one step of random writes and returns how many documents it changes. */
function createWriter(
  docs: Collection<Doc>,
  peers: readonly TestPeer[],
  random: SeededRandom,
  keys: number,
): () => number {
  const key = (): string => `k${random.integer(0, keys - 1)}`;
  const doc = (): Doc => ({
    n: random.integer(0, 99),
    ...(random.chance(0.8) ? { group: random.pick(['a', 'b']) } : {}),
  });
  const pair = (): (readonly [string, Doc])[] => {
    const value = random.integer(0, 1e9);
    return [0, 1].map((i) => [`pair${i}`, { n: 0, pair: value }] as const);
  };
  return () => {
    const peer = random.pick(peers);
    switch (random.integer(0, 7)) {
      case 0:
        docs.delete(key()).catch(ignore);
        return 1;
      case 1: {
        const many = Array.from({ length: random.integer(1, 12) }, () => [key(), doc()] as const);
        docs.putMany([...many, ...pair()]).catch(ignore);
        return many.length + 2;
      }
      case 2:
        peer.write([[key(), random.chance(0.3) ? null : doc()]]);
        return 1;
      case 3:
        peer.write(Array.from({ length: 3 }, () => [key(), doc()] as const));
        return 3;
      case 4:
        tryCommit(() => peer.send(random.pick([1, 3, 50])));
        return 0;
      case 5:
        peer.receive(random.pick([1, 3, 50]));
        return 0;
      default:
        docs.put(key(), doc()).catch(ignore);
        return 1;
    }
  };
}

/** A commit may be refused after a failed flush; a session would end and start again. */
function tryCommit(commit: () => void): void {
  try {
    commit();
  } catch (error) {
    assert.ok(isEntglDbError(error, 'IO_FAILED'));
  }
}

async function settle(db: LocalDatabase, faulty: MemoryStore | undefined): Promise<boolean> {
  faulty?.failFlushes(0);
  for (let turns = 0; turns <= 2 * SLOW_TURNS_MAX; turns++) await turn();
  await db.flush().catch(ignore);
  await db.flush();
  await turn();
  return true;
}

/** Applies the steps of a live query to a copy, sometimes lagging behind. */
class Follower {
  readonly #docs: Collection<Doc>;
  readonly #random: SeededRandom;
  #filter: object = {};
  #options: FindOptions = {};
  #live!: LiveQuery<Doc>;
  #iterator!: AsyncIterator<LiveUpdate<Doc>, undefined>;
  #pending: Promise<IteratorResult<LiveUpdate<Doc>, undefined>> | undefined;
  #copy: LiveEntry<Doc>[] = [];
  #notified = 0;
  #isFirst = true;
  #lastSnapshot: unknown;

  constructor(docs: Collection<Doc>, random: SeededRandom) {
    this.#docs = docs;
    this.#random = random;
    this.#begin();
  }

  /** Starts another query, with the copy as the previous result. */
  restart(): void {
    this.#live.close();
    this.#begin();
  }

  #begin(): void {
    const random = this.#random;
    this.#filter = random.pick<object>([
      {},
      { group: 'a' },
      { n: { $lt: 40 } },
      { $or: [{ group: { $regex: '^b' } }, { n: 7 }] },
    ]);
    this.#options = {
      ...(random.chance(0.7) ? { sort: random.pick([{ n: 1 }, { n: -1 }, { group: 1, n: -1 }] as const) } : {}),
      ...(random.chance(0.7) ? { limit: random.integer(0, 8) } : {}),
      ...(random.chance(0.3) ? { skip: random.integer(0, 10) } : {}),
    };
    this.#live = this.#docs.live(this.#filter, { ...this.#options, previous: this.#copy });
    this.#iterator = this.#live[Symbol.asyncIterator]() as AsyncIterator<LiveUpdate<Doc>, undefined>;
    this.#pending = undefined;
    this.#isFirst = true;
    this.#lastSnapshot = undefined;
    this.#live.subscribe(() => this.#hear());
    if (random.chance(0.7)) void this.#follow(this.#live);
  }

  #hear(): void {
    this.#notified++;
    const snapshot = this.#live.getSnapshot();
    assert.notDeepEqual(snapshot, this.#lastSnapshot, 'a listener is called for something new');
    this.#lastSnapshot = snapshot;
  }

  /** A fast consumer asks for the next update immediately. */
  async #follow(live: LiveQuery<Doc>): Promise<void> {
    while (this.#live === live && (await this.#step())) {
      // The work is in the condition.
    }
  }

  async #step(): Promise<boolean> {
    this.#pending ??= this.#iterator.next();
    const pending = this.#pending;
    const { value, done } = await pending;
    assert.equal(value === undefined, done === true);
    if (this.#pending !== pending) return value !== undefined;
    this.#pending = undefined;
    if (value === undefined) return false;
    assert.ok(this.#isFirst || value.changes.length > 0, 'an update has changes');
    this.#isFirst = false;
    this.#copy = applyStrictly(this.#copy, value);
    return true;
  }

  async check(): Promise<void> {
    const expected = (await this.#docs.findEntries(this.#filter, this.#options)).map(([key, value]) => ({
      key,
      value,
    }));
    const label = JSON.stringify([this.#filter, this.#options]);
    assert.deepEqual(this.#live.getSnapshot(), expected, label);
    let steps = 0;
    while ((await Promise.race([this.#step(), turn()])) === true) steps++;
    assert.deepEqual(this.#copy, expected, label);
    assert.ok(steps <= 2, `${label}: one that was delivered and one that was due, not ${steps}`);
    assert.ok(this.#notified > 0, label);
  }
}

/** Applies the steps; each must be possible and have an effect. */
function applyStrictly(before: readonly LiveEntry<Doc>[], { changes, results }: LiveUpdate<Doc>): LiveEntry<Doc>[] {
  const list = [...before];
  for (const change of changes) {
    const { key, index } = change;
    const at = list.findIndex((entry) => entry.key === key);
    switch (change.kind) {
      case 'added':
        assert.equal(at, -1, `${key} is added and is there already`);
        list.splice(index, 0, { key, value: change.value });
        break;
      case 'removed':
        assert.equal(at, index, `${key} is removed from where it is not`);
        list.splice(index, 1);
        break;
      case 'changed':
        assert.equal(at, index, `${key} changes where it is not`);
        assert.notDeepEqual(list[at]!.value, change.value, `${key} changes to what it was`);
        list[index] = { key, value: change.value };
        break;
      case 'moved':
        assert.equal(at, change.from, `${key} moves from where it is not`);
        assert.notEqual(change.from, index, `${key} moves to where it is`);
        list.splice(change.from, 1);
        list.splice(index, 0, { key, value: change.value });
    }
  }
  assert.deepEqual(list, results);
  return list;
}

class Counter {
  readonly #docs: Collection<Doc>;
  readonly #filter: object;
  readonly #live: Live<number>;

  constructor(docs: Collection<Doc>, filter: object) {
    this.#docs = docs;
    this.#filter = filter;
    this.#live = docs.liveCount(filter);
    this.#live.subscribe(ignore);
  }

  async check(): Promise<void> {
    assert.equal(this.#live.getSnapshot(), await this.#docs.count(this.#filter), JSON.stringify(this.#filter));
  }
}

/** Two documents that are always written together must have the same number at all times. */
function watchPairs(docs: Collection<Doc>): LiveQuery<Doc> {
  const live = docs.live({ pair: { $exists: true } });
  live.subscribe(() => {
    const values = live.getSnapshot()!.map(({ value }) => value.pair);
    assert.equal(new Set(values).size, values.length === 0 ? 0 : 1, 'a transaction appears whole');
    assert.ok(values.length !== 1, 'a transaction appears whole');
  });
  return live;
}
