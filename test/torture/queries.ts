/**
 * Goal: whatever the indexes and the writes before, SQLite answers every query as the naive evaluator does.
 * Method: scenes of random documents, indexes and changes, each time with a hundred random filters, sorts and pages. The
 * oracle is the memory store, which looks at every document in plain JavaScript.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type CollectionName, parseCollectionName, parseDocumentKey } from '../../src/core/ids/index.ts';
import { silentLogger } from '../../src/core/logging/index.ts';
import { type JsonValue, parseIndex, parseQuery } from '../../src/core/query/index.ts';
import { documentSamples, filterSamples, indexSamples, pageSamples } from '../../src/core/query/test-query-samples.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { createMemoryStore, type Store, type StoredDocument } from '../../src/store/index.ts';
import { openSqliteStore } from '../../src/store/sqlite/index.ts';
import { sampleDocument } from '../../src/testing/index.ts';
import { withScratch } from './scratch.ts';
import { mayBegin, type Suite, type SuiteOptions, type SuiteResult, Tally } from './suite.ts';

const DOCUMENTS = 40;
const QUERIES_PER_STATE = 100;
const STATES = 3;

export const queries: Suite = {
  name: 'queries',
  about: 'random queries on random documents by random indexes, against a naive scan',
  counts: { ci: 3000, full: 1_000_000 },
  run: runScenes,
};

async function runScenes(options: SuiteOptions): Promise<SuiteResult> {
  const { count, seed } = options;
  const tally = new Tally();
  let byIndex = 0;
  await withScratch(async (scratch) => {
    const store = await openSqliteStore({
      path: join(scratch, 'queries.db'),
      durability: 'normal',
      machineId: '',
      pid: process.pid,
      clock: systemClock,
      logger: silentLogger,
    });
    try {
      for (let i = 0; tally.cases < count && mayBegin(options, tally); i++) {
        byIndex += runScene(store, (seed % 2000) * 1_000_000 + i, tally);
        await new Promise(setImmediate);
      }
    } finally {
      await store.close();
    }
  });
  tally.notes.push(`${byIndex} of them answered by an index`);
  return tally.result();
}

/** Returns how many queries an index answered. */
function runScene(store: Store, seed: number, tally: Tally): number {
  const collection = parseCollectionName(`scene-${seed}`);
  const naive = createMemoryStore();
  const samples = fc.sample(documentSamples, { seed, numRuns: DOCUMENTS * STATES });
  let pos = (seed % 1_000_000) * DOCUMENTS * STATES;
  let byIndex = 0;
  for (const spec of fc.sample(indexSamples, { seed, numRuns: 4 })) store.addIndex(collection, parseIndex(spec));
  for (let state = 0; state < STATES; state++) {
    const documents = samples.slice(state * DOCUMENTS, (state + 1) * DOCUMENTS).flatMap((value, i) => {
      const isLeft = state > 0 && i % 3 !== state;
      return isLeft ? [] : [documentOf(collection, `k${i}`, ++pos, state === 2 && i % 2 === 0 ? null : value)];
    });
    for (const each of [store, naive]) each.commit({ documents });
    while (store.workOnIndexes());
    const places = samples.slice(0, DOCUMENTS).map((value, i) => ({ key: `k${i}`, value }));
    const asked = fc.sample(fc.tuple(filterSamples, pageSamples), { seed: seed + state, numRuns: QUERIES_PER_STATE });
    for (const [i, [filter, page]] of asked.entries()) {
      const query = page(parseQuery(filter), places);
      if (store.explain(collection, query).index !== null) byIndex++;
      const isSame =
        isDeepStrictEqual(store.find(collection, query), naive.find(collection, query)) &&
        store.count(collection, query) === naive.count(collection, query);
      if (isSame) tally.add('kept');
      else
        tally.fail(`scene ${seed} state ${state} query ${i}`, [JSON.stringify({ asked: filter, ...query }, describe)]);
    }
  }
  forget(store, collection, pos);
  return byIndex;
}

function documentOf(collection: CollectionName, key: string, pos: number, value: JsonValue | null): StoredDocument {
  const text = value === null ? null : JSON.stringify(value);
  return sampleDocument({
    collection,
    key,
    pos,
    versions: [{ seq: pos, value: text }],
    deadAt: text === null ? 1 : null,
  });
}

function forget(store: Store, collection: CollectionName, pos: number): void {
  const removed = Array.from({ length: DOCUMENTS }, (_, i) => {
    return { collection, key: parseDocumentKey(`k${i}`), pos: pos - i, why: 'evicted', deadSince: null } as const;
  });
  store.commit({ removed });
  for (const { definition } of store.indexes(collection)) store.removeIndex(collection, definition.name);
  while (store.workOnIndexes());
}

function describe(_name: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
}
