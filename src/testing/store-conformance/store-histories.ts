import assert from 'node:assert/strict';
import type { Hlc } from '../../core/clock/index.ts';
import { type CollectionName, type DocumentKey, parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { parseQuery } from '../../core/query/index.ts';
import type { VersionBody } from '../../core/version/index.ts';
import { createMemoryStore, type Store, type StoreBatch, type StoredDocument } from '../../store/index.ts';
import { createSeededRandom, type SeededRandom } from '../seeded-random.ts';
import { sampleCheck, sampleDocument, sampleHead, sampleReplica } from '../stored-documents.ts';
import type { StoreConformanceOptions } from './store-under-test.ts';

const COLLECTIONS = ['c', 'd', 'é'];
const KEYS = ['a', 'b', 'c', 'd', '\u{1f600}', '\uffff', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6'];
const SPACES = ['queue', 'conflicts', 'events'] as const;
const HISTORIES = 8;
const COMMITS = 60;
const LIMITS = { chainLengthMax: 10, goneLogMax: 6 };

/** Random histories of commits, crashes, reopenings and failed commits, during which every read equals that of the memory store. */
export function claimHistories(options: StoreConformanceOptions): void {
  options.test('whatever happens to it, the store reads the same as the memory store', async () => {
    for (let seed = 1; seed <= HISTORIES * (options.scale ?? 1); seed++) {
      const under = await options.factory(LIMITS);
      try {
        await runHistory(createSeededRandom(seed), under);
      } catch (error) {
        throw new Error(`history with seed ${seed} failed`, { cause: error });
      } finally {
        await under.dispose();
      }
    }
  });
}

async function runHistory(
  random: SeededRandom,
  under: Awaited<ReturnType<StoreConformanceOptions['factory']>>,
): Promise<void> {
  const model = createMemoryStore({ limits: LIMITS });
  const writer = new RandomWriter(random);
  let { store } = under;
  for (let i = 0; i < COMMITS; i++) {
    const batch = writer.nextBatch();
    if (random.chance(0.1)) assert.throws(() => under.failCommit(store, batch));
    store.commit(batch);
    model.commit(batch);
    if (under.reopen !== undefined && random.chance(0.03)) store = await under.reopen();
    if (random.chance(0.2)) await store.flush();
    if (random.chance(0.2)) assertSameReads(store, model, random);
    if (random.chance(0.1)) await under.afterCrash?.((found) => assertSameReads(found, model, random));
  }
  assertSameReads(store, model, random);
}

function assertSameReads(store: Store, model: Store, random: SeededRandom): void {
  const limit = random.pick([1, 3, 1000]);
  const same = (name: string, read: (from: Store) => unknown): void => assert.deepEqual(read(store), read(model), name);
  same('load', (from) => from.load());
  same('changes', (from) => from.changes(random.pick([0]), limit));
  same('dead', (from) => from.dead(60, limit));
  same('gone', (from) => [from.goneFrom(), from.gone(0, limit)]);
  same('chain', (from) => [from.chainFrom(), Array.from({ length: 80 }, (_, seq) => from.chainCheck(seq))]);
  for (const space of SPACES) same(space, (from) => from.entries(space, 2, limit));
  for (const collection of COLLECTIONS.map(parseCollectionName))
    assertSameCollection(store, model, collection, limit, same);
}

function assertSameCollection(
  _store: Store,
  model: Store,
  collection: CollectionName,
  limit: number,
  same: (name: string, read: (from: Store) => unknown) => void,
): void {
  for (const key of KEYS.map(parseDocumentKey)) same('get', (from) => from.get(collection, key));
  const after = parseDocumentKey('c');
  const range = { after, upTo: parseDocumentKey('k3') };
  same('documents', (from) => from.documents(collection, after, limit, new Set([parseDocumentKey('k1')])));
  same('inRange', (from) => from.inRange(collection, range, limit));
  same('fingerprints', (from) => from.fingerprints(collection, [range, { after: null, upTo: null }]));
  same('nthKey', (from) => from.nthKey(collection, after, limit));
  same('liveReplicas', (from) => from.liveReplicas(collection));
  for (const replica of model.liveReplicas(collection))
    same('delta', (from) => [from.delta(collection, replica, 5, limit), from.delta(collection, replica, 5, limit, 20)]);
  const query = parseQuery({ n: { $gt: 5 } }, { sort: { n: -1 }, limit });
  same('find', (from) => [from.find(collection, query), from.count(collection, query)]);
}

/** Makes batches that the engine could make, and some that it never would. */
class RandomWriter {
  readonly #random: SeededRandom;
  #pos = 0;
  #seq = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  nextBatch(): StoreBatch {
    const random = this.#random;
    const documents = Array.from({ length: random.integer(0, 4) }, () => this.#document());
    const removed = random.chance(0.3) ? [this.#removal()] : [];
    const seq = ++this.#seq;
    return {
      head: sampleHead({ replica: sampleReplica(random.integer(1, 2)), seq, check: sampleCheck(seq), pos: this.#pos }),
      chain: random.chance(0.8),
      resetChain: random.chance(0.02),
      documents,
      removed,
      collections: random.chance(0.3) ? [this.#collectionRow()] : [],
      forget: random.chance(0.05) ? [this.#collection()] : [],
      knowledge: random.chance(0.5) ? [{ ...this.#vector(), check: random.chance(0.5) ? sampleCheck(seq) : null }] : [],
      purged: random.chance(0.2) ? [this.#vector()] : [],
      meta: new Map(random.chance(0.2) ? [[random.pick(['a', 'b']), random.pick(['x', 'y', null])]] : []),
      entries: random.chance(0.3) ? [this.#entry()] : [],
    };
  }

  #document(): StoredDocument {
    const random = this.#random;
    const count = random.pick([1, 1, 1, 1, 2, 3]);
    const versions = Array.from({ length: count }, (_, i) => this.#version(i + 1));
    const isDead = versions.every(({ value }) => value === null);
    return sampleDocument({
      collection: random.pick(COLLECTIONS),
      key: random.pick(KEYS),
      pos: ++this.#pos,
      versions,
      deadAt: isDead ? random.integer(1, 100) : null,
      ...(isDead ? { value: null } : count > 1 ? { value: `{"n":${random.integer(1, 20)}}` } : {}),
      ...(random.chance(0.5)
        ? { lineFirst: random.integer(1, 9), lineReplica: sampleReplica(random.integer(1, 3)) }
        : {}),
    });
  }

  #version(replica: number): Partial<VersionBody> {
    const random = this.#random;
    const seq = random.integer(1, 40);
    const line = { replica: sampleReplica(random.integer(1, 4)), first: 1, last: random.integer(1, 300) };
    return {
      replica: sampleReplica(replica + random.integer(0, 1) * 3),
      seq,
      first: random.integer(1, seq),
      hlc: random.integer(0, 2 ** 52) as Hlc,
      context: random.chance(0.4) ? [line] : [],
      value: random.chance(0.2) ? null : `{"n":${random.integer(1, 20)}}`,
    };
  }

  #removal() {
    const random = this.#random;
    const pos = ++this.#pos;
    const why = random.pick(['purged', 'dropped', 'evicted', 'damaged'] as const);
    return { collection: this.#collection(), key: this.#key(), pos, why, deadSince: random.pick([null, 1]) };
  }

  #collectionRow() {
    const random = this.#random;
    const fingerprint = { count: random.integer(0, 9), lanes: [1, 2, 3, random.integer(0, 2 ** 32 - 1)] as const };
    const state = random.pick(['wanted', 'frozen'] as const);
    return { name: this.#collection(), state, documents: random.integer(0, 9), fingerprint, resolver: 'lww@1' };
  }

  #vector() {
    const random = this.#random;
    return {
      collection: this.#collection(),
      replica: sampleReplica(random.integer(1, 5)),
      seq: random.integer(0, 100),
    };
  }

  #entry() {
    const random = this.#random;
    return {
      space: random.pick(SPACES),
      id: random.integer(1, 6),
      data: random.chance(0.3) ? null : `{"n":${random.integer(1, 9)}}`,
    };
  }

  #collection(): CollectionName {
    return parseCollectionName(this.#random.pick(COLLECTIONS));
  }

  #key(): DocumentKey {
    return parseDocumentKey(this.#random.pick(KEYS));
  }
}
